package parallel

import "hash/fnv"

// Finished remembers which tasks a job log has, so that a later run can leave
// them out: by sequence number and command both, because an input that was added or
// removed since shifts all numbers. The zero value is empty. It is not safe for
// concurrent use.
//
// A task takes 8 bytes where numbers are dense. A log with numbers beyond
// reason takes no more than a page for each.
type Finished struct {
	pages map[uint64]*finishedPage
}

const pageTasks = 512

type finishedPage [pageTasks]uint64

// Add remembers an entry. A later one of the same number replaces it.
func (f *Finished) Add(e Entry) {
	if f.pages == nil {
		f.pages = map[uint64]*finishedPage{}
	}
	page := f.pages[e.Seq/pageTasks]
	if page == nil {
		page = new(finishedPage)
		f.pages[e.Seq/pageTasks] = page
	}
	page[e.Seq%pageTasks] = commandHash(e.Command)
}

// Has reports whether task seq has run with this very command.
func (f *Finished) Has(seq uint64, command string) bool {
	page := f.pages[seq/pageTasks]
	return page != nil && page[seq%pageTasks] == commandHash(command)
}

// commandHash is never 0. Two different commands at the same number are taken for
// each other once in 2^63 times.
func commandHash(command string) uint64 {
	h := fnv.New64a()
	for i := range len(command) {
		c := command[i]
		if c == 0 {
			c = '\n' // a log cannot tell them apart
		}
		h.Write([]byte{c})
	}
	return h.Sum64() | 1
}
