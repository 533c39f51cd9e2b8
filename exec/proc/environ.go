package proc

import (
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
)

// defaultPath is where commands are looked for when the environment has no
// PATH, as dash does it.
const defaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// An environment is what a command inherits, with what Run needs from it taken out.
type environment struct {
	list []string // "NAME=value", whole
	path []string // the directories of PATH, in order; "" is the working directory
	// shellOnly holds the first words that mean something to the shell only:
	// functions that bash exported. everything says that all of them do.
	shellOnly  map[string]bool
	everything bool
}

// readEnvironment takes list apart.
func readEnvironment(list []string) *environment {
	e := &environment{list: list}
	path := ""
	for _, kv := range list {
		name, value, _ := strings.Cut(kv, "=")
		switch {
		case name == "PATH":
			path = value
		case name == "SHELLOPTS":
			e.everything = true // options for every bash, such as xtrace
		case strings.HasPrefix(name, "BASH_FUNC_"):
			if e.shellOnly == nil {
				e.shellOnly = make(map[string]bool)
			}
			e.shellOnly[strings.TrimRight(strings.TrimPrefix(name, "BASH_FUNC_"), "%()")] = true
		}
	}
	if path == "" {
		e.everything = true // every shell has a default of its own
		path = defaultPath
	}
	e.path = filepath.SplitList(path)
	return e
}

// callersEnvironment is ours, with PWD right: a shell makes it so, and a command
// that is started without one must see the same.
func callersEnvironment() *environment {
	list := os.Environ()
	if wd, err := os.Getwd(); err == nil && runtime.GOOS != "windows" {
		list = withPWD(list, wd) // Getwd believes PWD if it is right
	}
	return readEnvironment(list)
}

// withPWD returns a copy of list in which PWD is dir.
func withPWD(list []string, dir string) []string {
	out := make([]string, 0, len(list)+1)
	for _, kv := range list {
		if !strings.HasPrefix(kv, "PWD=") {
			out = append(out, kv)
		}
	}
	return append(out, "PWD="+dir)
}

// hasVariable reports whether list sets name.
func hasVariable(list []string, name string) bool {
	return slices.ContainsFunc(list, func(kv string) bool {
		have, _, _ := strings.Cut(kv, "=")
		return have == name
	})
}

// withVariables returns a copy of list with add, which takes the place of what list
// has under the same names. Of two in add under one name the later counts.
func withVariables(list, add []string) []string {
	value := make(map[string]string, len(add))
	for _, kv := range add {
		name, _, _ := strings.Cut(kv, "=")
		value[name] = kv
	}
	out := make([]string, 0, len(list)+len(add))
	for _, kv := range list {
		name, _, _ := strings.Cut(kv, "=")
		if _, replaced := value[name]; !replaced {
			out = append(out, kv)
		}
	}
	for _, kv := range add {
		name, _, _ := strings.Cut(kv, "=")
		if kv, ok := value[name]; ok {
			out = append(out, kv)
			delete(value, name)
		}
	}
	return out
}

// environmentOf is what c runs with. own is the caller's, shared and not to be
// written to.
func environmentOf(c *Command, own *environment) *environment {
	e := givenEnvironment(c, own)
	add := c.variables(e.list)
	switch {
	case len(add) == 0:
		return e
	case len(c.AddEnv) > 0:
		return readEnvironment(withVariables(e.list, add)) // PATH may be among them
	}
	with := *e
	with.list = withVariables(e.list, add)
	return &with
}

// givenEnvironment is Env, or the caller's.
func givenEnvironment(c *Command, own *environment) *environment {
	switch {
	case c.Env != nil:
		return readEnvironment(c.Env)
	case c.Dir == "" || runtime.GOOS == "windows":
		return own
	}
	dir, err := filepath.Abs(c.Dir)
	if err != nil {
		return own // we have no working directory; starting will say so
	}
	e := *own
	e.list = withPWD(own.list, dir)
	return &e
}
