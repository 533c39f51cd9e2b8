package parallel

// A Source is one input source: values from the command line, or a file of
// records.
type Source struct {
	Values []string // nil: the source is File
	File   string   // "-" is standard input
	Linked bool     // goes in step with the source before it, instead of being crossed with it
}

// Stdin is the source that is read when none is given.
var Stdin = Source{File: "-"}

// separators maps the arguments that start a source to what follows them.
var separators = map[string]struct{ files, linked bool }{
	":::":   {},
	":::+":  {linked: true},
	"::::":  {files: true},
	"::::+": {files: true, linked: true},
}

// SplitArgs splits the arguments of a run into the words of the command and
// the sources after ":::", ":::+", "::::" and "::::+".
func SplitArgs(args []string) (command []string, sources []Source) {
	n := 0
	for n < len(args) && !isSeparator(args[n]) {
		n++
	}
	command, args = args[:n], args[n:]
	for len(args) > 0 {
		kind := separators[args[0]]
		n := 1
		for n < len(args) && !isSeparator(args[n]) {
			n++
		}
		given := args[1:n]
		args = args[n:]
		// The first source has nothing to be linked with.
		linked := kind.linked && len(sources) > 0
		if !kind.files {
			sources = append(sources, Source{Values: given, Linked: linked})
			continue
		}
		for _, f := range given {
			sources = append(sources, Source{File: f, Linked: linked})
		}
	}
	return command, sources
}

func isSeparator(arg string) bool {
	_, ok := separators[arg]
	return ok
}
