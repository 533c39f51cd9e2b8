package uts

import "strings"

// A PublishedTree is one whose size the authors of the benchmark published
// with it.
type PublishedTree struct {
	Name  string
	Flags string // for ParseParams
	Count Count  // what a search must find
}

// published holds the sample trees of the reference distribution: the small
// ones of about 4 M nodes, the large ones of about 100 M.
var published = []PublishedTree{
	{"T1", "-t1 -a3 -d10 -b4 -r19", Count{Nodes: 4130071, Leaves: 3305118, Depth: 10}},
	{"T2", "-t1 -a2 -d16 -b6 -r502", Count{Nodes: 4117769, Leaves: 2342762, Depth: 81}},
	{"T3", "-t0 -b2000 -q0.124875 -m8 -r42", Count{Nodes: 4112897, Leaves: 3599034, Depth: 1572}},
	{"T4", "-t2 -a0 -d16 -b6 -r1 -q0.234375 -m4", Count{Nodes: 4132453, Leaves: 3108986, Depth: 134}},
	{"T5", "-t1 -a0 -d20 -b4 -r34", Count{Nodes: 4147582, Leaves: 2181318, Depth: 20}},
	{"T1L", "-t1 -a3 -d13 -b4 -r29", Count{Nodes: 102181082, Leaves: 81746377, Depth: 13}},
	{"T2L", "-t1 -a2 -d23 -b7 -r220", Count{Nodes: 96793510, Leaves: 53791152, Depth: 67}},
	{"T3L", "-t0 -b2000 -q0.200014 -m5 -r7", Count{Nodes: 111345631, Leaves: 89076904, Depth: 17844}},
}

// Published returns the published tree of that name.
func Published(name string) (PublishedTree, bool) {
	for _, tree := range published {
		if tree.Name == name {
			return tree, true
		}
	}
	return PublishedTree{}, false
}

func publishedNames() string {
	names := make([]string, len(published))
	for i, tree := range published {
		names[i] = tree.Name
	}
	return strings.Join(names, ", ")
}
