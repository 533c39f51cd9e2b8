//go:build unix

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// bashCompletion is where distributions keep what generated scripts rely on.
const bashCompletion = "/usr/share/bash-completion/bash_completion"

// The generated script does in bash what its user expects: the words that bash would offer.
func TestCompletionInBash(t *testing.T) {
	bash, err := exec.LookPath("bash")
	if _, missing := os.Stat(bashCompletion); err != nil || missing != nil {
		t.Skip("bash or its package bash-completion is not installed")
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.Symlink(self, filepath.Join(dir, "filch")); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "frobnicate"), nil, 0o700); err != nil {
		t.Fatal(err)
	}
	const script = `
		source ` + bashCompletion + `
		compopt() { :; } # only the shell's own calls may use it
		source <(filch completion bash)
		COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMP_LINE="$*" COMP_POINT=${#COMP_LINE} COMP_TYPE=9 COMPREPLY=()
		__start_filch
		printf '%s\n' "${COMPREPLY[@]}"`
	for words, want := range map[string]string{
		"filch r": "run", "filch run --keep": "--keep-order", "filch run --halt n": "never", "filch run --output=j": "json", "filch run -o ": "json",
		"filch run frob": "frobnicate", "filch exec --t": "--timeout", "filch exec frob": "frobnicate", "filch help e": "exec", "filch completion z": "zsh",
	} {
		cmd := exec.CommandContext(t.Context(), bash, append([]string{"--norc", "-c", script, "bash"}, strings.Split(words, " ")...)...)
		cmd.Env = append(os.Environ(), asFilch+"=1", "PATH="+dir+":"+os.Getenv("PATH"))
		out, errs, code := finish(t, cmd)
		offered := strings.Fields(out)
		if code != 0 || !slices.ContainsFunc(offered, func(o string) bool { return strings.TrimSpace(o) == want }) {
			t.Errorf("%s: bash offers %q, want %q among them (%d, %q)", words, offered, want, code, errs)
		}
	}
}
