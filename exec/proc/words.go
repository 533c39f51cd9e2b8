package proc

import "strings"

// shellWords are the words that some shell in use as /bin/sh (dash, bash,
// busybox ash, ksh, mksh, yash, zsh) does not look up in PATH when they come
// first on a line: reserved words, built-in commands and predefined aliases. A
// word too many costs the start of a shell; a word too few would run another
// program than the shell would. Left out are the built-ins that ksh and its kin
// have to save a process and that do what the program does: cat, sleep and such.
var shellWords = wordSet(
	// reserved
	"case coproc do done elif else end esac fi for foreach function if in namespace nocorrect",
	"repeat select then time until while",
	// special built-ins of POSIX, and what it lists as intrinsic
	"break continue eval exec exit export readonly return set shift times trap unset",
	"alias bg cd command fc fg getopts hash jobs kill newgrp read type ulimit umask unalias wait",
	// whose program differs, or may
	"echo false help printf pwd test true which nohup",
	// of bash
	"bind builtin caller compgen complete compopt declare dirs disown enable history let local logout",
	"mapfile popd pushd readarray shopt source suspend typeset",
	// of ksh, mksh, yash
	"alarm array autoload bindkey compound enum float functions getconf global hist integer login nameref",
	"print realpath redirect rename r stop whence",
	// of ash and zsh
	"bye chdir comparguments compcall compctl compdescribe compfiles compgroups compquote comptags",
	"comptry compvalues disable echotc echoti emulate getln limit noglob private pushln rehash sched setopt",
	"run-help setvar ttyctl unfunction unhash unlimit unsetopt vared where which-command zcompile zformat zle zmodload",
	"zparseopts zregexparse zstyle",
)

// twinWords are the built-ins whose program does exactly the same, as long as
// no argument begins with "-" or has a backslash in it (dash's echo knows escapes).
// Run makes sure that the program is the system's.
var twinWords = wordSet("echo false true")

func wordSet(lines ...string) map[string]bool {
	m := make(map[string]bool)
	for _, l := range lines {
		for _, w := range strings.Fields(l) {
			m[w] = true
		}
	}
	return m
}
