package parallel

import (
	"errors"
	"fmt"
	"io"
	"slices"
)

// maxRemembered bounds the values of all sources but the first, which have to
// be kept for the cross product, in bytes with their overhead: rather a clear
// error than the kernel's out-of-memory killer.
const maxRemembered = 4 << 30

// stringOverhead is what a remembered value costs beyond its bytes.
const stringOverhead = 16

// Rows combines sources: linked ones go in step and end with the shortest; the
// groups that result are crossed, the last varying fastest. It is used by one
// goroutine at a time.
type Rows struct {
	first *group       // streamed
	rest  []*group     // streamed once into kept
	kept  [][][]string // rows of each of rest
	limit int64        // bytes in kept

	head   []string // the current row of first
	odo    []int    // the current row of each of rest; nil before the first
	seq    uint64
	opened []values
	skip   bool

	most  int      // inputs in one row
	none  bool     // see Options.NoArgs
	ahead []string // read, but for the next row
	over  error    // what ended the rows
}

// Options say how sources are read.
type Options struct {
	Stdin     io.Reader
	Null      bool // records end with NUL, not newline
	SkipBlank bool // leave out rows of nothing but white space
	MaxArgs   int  // inputs in one row, at most; 0 means 1
	NoArgs    bool // rows without columns: only their number counts
}

// maxJoined bounds the bytes of the inputs that are joined to one row, as xargs and
// parallel do, so that "-n 100000" means: as many as fit. Linux takes 128 KiB in one
// argument, which is what a shell gets, and quotes come on top.
const maxJoined = 96 << 10

// OpenRows opens all sources at once, so that a missing file is known before anything
// has run. The caller closes the Rows.
func OpenRows(sources []Source, o Options) (*Rows, error) {
	if len(sources) == 0 {
		sources = []Source{Stdin}
	}
	r := &Rows{limit: maxRemembered, skip: o.SkipBlank, most: o.MaxArgs, none: o.NoArgs}
	sep := byte('\n')
	if o.Null {
		sep = 0
	}
	var stdin *records // shared by all sources that name it
	var groups []*group
	for _, s := range sources {
		var v values
		switch {
		case s.Values != nil:
			v = &list{s.Values}
		case s.File == "-":
			if stdin == nil {
				stdin = newRecords("standard input", o.Stdin, nil, sep)
			}
			v = stdin
		default:
			f, err := openFile(s.File, sep)
			if err != nil {
				r.Close()
				return nil, err
			}
			v = f
		}
		r.opened = append(r.opened, v)
		if !s.Linked || len(groups) == 0 {
			groups = append(groups, &group{})
		}
		g := groups[len(groups)-1]
		g.sources = append(g.sources, v)
	}
	r.first, r.rest = groups[0], groups[1:]
	return r, nil
}

// Close closes the files of all sources.
func (r *Rows) Close() error {
	var errs []error
	for _, v := range r.opened {
		errs = append(errs, v.Close())
	}
	return errors.Join(errs...)
}

// Next returns the next row, with its sequence number; io.EOF after the last.
// Any other error is final. It blocks while a source does.
func (r *Rows) Next() (Row, error) {
	columns, err := r.joined()
	if err != nil {
		return Row{}, err
	}
	r.seq++
	if r.none {
		columns = nil
	}
	return Row{Seq: r.seq, Columns: columns, Sources: r.width()}, nil
}

// joined returns the columns of as many inputs as go into one row.
func (r *Rows) joined() ([]string, error) {
	columns := r.ahead
	r.ahead = nil
	if columns == nil {
		var err error
		if columns, err = r.wanted(); err != nil {
			return nil, err
		}
	}
	if r.most <= 1 {
		return columns, nil
	}
	columns = slices.Clip(columns) // those of a source's own stay as they are
	size := bytesOfAll(columns)
	for n := 1; n < r.most; n++ {
		more, err := r.wanted()
		if err == io.EOF {
			break // and again at the next call
		}
		if err != nil {
			return nil, err
		}
		if size += bytesOfAll(more); size > maxJoined {
			r.ahead = more
			break
		}
		columns = append(columns, more...)
	}
	return columns, nil
}

func bytesOfAll(columns []string) int {
	n := 0
	for _, c := range columns {
		n += len(c) + 1
	}
	return n
}

// wanted is next without the rows that are to be skipped.
func (r *Rows) wanted() ([]string, error) {
	for r.over == nil {
		var columns []string
		columns, r.over = r.next()
		if r.over == nil && !(r.skip && allBlank(columns)) {
			return columns, nil
		}
	}
	return nil, r.over
}

func allBlank(columns []string) bool {
	for _, c := range columns {
		if !blank(c) {
			return false
		}
	}
	return true
}

func (r *Rows) next() ([]string, error) {
	if r.odo == nil {
		if err := r.start(); err != nil {
			return nil, err
		}
	} else if !r.turn() {
		head, err := r.first.next()
		if err != nil {
			return nil, err
		}
		r.head = head
	}
	if len(r.rest) == 0 {
		return r.head, nil
	}
	columns := make([]string, 0, r.width())
	columns = append(columns, r.head...)
	for i, rows := range r.kept {
		columns = append(columns, rows[r.odo[i]]...)
	}
	return columns, nil
}

func (r *Rows) width() int {
	n := len(r.first.sources)
	for _, g := range r.rest {
		n += len(g.sources)
	}
	return n
}

// turn moves the odometer on; false when it has come round to zero.
func (r *Rows) turn() bool {
	for i := len(r.odo) - 1; i >= 0; i-- {
		r.odo[i]++
		if r.odo[i] < len(r.kept[i]) {
			return true
		}
		r.odo[i] = 0
	}
	return false
}

// start reads the first row of the first group, then all of the others, in
// this order because standard input may be in both. Without a single value in
// any source there are no rows.
func (r *Rows) start() error {
	r.odo = make([]int, len(r.rest))
	head, err := r.first.next()
	if err != nil {
		return err
	}
	r.head = head
	some := r.first.some
	var size int64
	for _, g := range r.rest {
		var rows [][]string
		for {
			row, err := g.next()
			if err == io.EOF {
				break
			}
			if err != nil {
				return err
			}
			for _, v := range row {
				size += int64(len(v)) + stringOverhead
			}
			if size > r.limit {
				return fmt.Errorf("the sources after the first hold more than %d bytes, and they have to be remembered: give the largest source first, it is read as it goes", r.limit)
			}
			rows = append(rows, row)
		}
		r.kept = append(r.kept, rows)
		some = some || g.some
	}
	if !some {
		return io.EOF
	}
	return nil
}

// A group is sources that go in step.
type group struct {
	sources []values
	begun   bool
	some    bool // any source has had a value
}

// next returns the next value of each source, until one has no more. A source that is empty
// from the start counts as one empty value.
func (g *group) next() ([]string, error) {
	row := make([]string, len(g.sources))
	for i, s := range g.sources {
		v, err := s.next()
		switch {
		case err == nil:
			g.some = true
		case err == io.EOF && !g.begun:
		default:
			return nil, err
		}
		row[i] = v
	}
	g.begun = true
	return row, nil
}
