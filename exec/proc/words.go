package proc

import "strings"

// shellWords are the words that some shell in use as /bin/sh (dash, bash,
// busybox ash, ksh, mksh, yash, zsh) does not look up in PATH when they come
// first on a line: reserved words, built-in commands and predefined aliases. A
// word too many costs the start of a shell; a word too few would run another
// program than the shell would.
var shellWords = wordSet(
	// reserved
	"case coproc do done elif else end esac fi for foreach function if in namespace nocorrect",
	"repeat select then time until while",
	// special built-ins of POSIX, and what it lists as intrinsic
	"break continue eval exec exit export readonly return set shift times trap unset",
	"alias bg cd command fc fg getopts hash jobs kill newgrp read type ulimit umask unalias wait",
	// built-ins, most of them with a program of the same name that differs
	"array autoload bind bindkey builtin bye caller cap cat chdir clone comparguments compadd compcall compctl",
	"compdescribe compfiles compgen compgroups complete compopt compound compquote compset comptags",
	"comptry compvalues declare dirs disable disown echotc echoti emulate enable enum exitcode false",
	"functions fungetln getcap getln getopt global hist histexpand history integer float jobid let limit",
	"local log logout login mapfile mkservice mknod noglob nohup nameref nosort popd print printf private pushd",
	"pushln pwd r readarray realpath redirect rehash rename sched setcap setopt setvar sleep source stat",
	"stop suspend sync test true echo ttyctl typeset unfunction unhash unlimit unsetopt vared vmstate vpath",
	"wordexp whence where which xgrep zcompile zformat zftp zle zmodload zparseopts zprof zpty",
	"zregexparse zselect zsocket zstat zstyle ztcp",
	// macros of the test suite and standalone builds
	"inlib poll times shopt help universe",
)

// twinWords are the built-ins whose program does exactly the same, as long as
// no argument begins with "-". Run makes sure that the program is the system's.
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
