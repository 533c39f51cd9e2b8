package parallel

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"time"
	"unicode/utf8"
)

// A Record is what --output json tells of a task, without its output.
type Record struct {
	Seq      uint64   `json:"seq"`
	Inputs   []string `json:"inputs"`
	Command  string   `json:"command"`
	State    string   `json:"state"` // done, failed, timeout, out_of_memory
	Exit     int      `json:"exit"`
	Signal   int      `json:"signal,omitempty"`
	Reason   string   `json:"reason,omitempty"` // why it failed, if not by its own exit code
	Attempts int      `json:"attempts"`
	Host     string   `json:"host"` // name of the node that ran it; ":" is here
	Start    JSONTime `json:"start"`
	Wall     float64  `json:"wall_seconds"`
	User     float64  `json:"user_seconds"`
	System   float64  `json:"system_seconds"`
	Memory   int64    `json:"max_memory_bytes,omitempty"`

	// What is no UTF-8, as it is; RecordStream fills it in.
	RawInputs  [][]byte `json:"inputs_base64,omitempty"`
	RawCommand []byte   `json:"command_base64,omitempty"`
}

// JSONTime is a time in milliseconds, UTC.
type JSONTime time.Time

// MarshalJSON implements json.Marshaler.
func (t JSONTime) MarshalJSON() ([]byte, error) {
	return []byte(time.Time(t).UTC().Format(`"2006-01-02T15:04:05.000Z"`)), nil
}

// RecordStream is one line of JSON: the record with the output of the task in "stdout" and
// "stderr", or in "stdout_base64" and "stderr_base64" if it is no UTF-8. The output is
// encoded as it is written, however long. The stream owns the two.
func RecordStream(r Record, stdout, stderr Stream) (Stream, error) {
	r.keepRaw()
	head, err := json.Marshal(r)
	if err != nil {
		return nil, fmt.Errorf("cannot make a record of task %d: %w", r.Seq, err)
	}
	return &recordStream{head: head[:len(head)-1], out: stdout, err: stderr}, nil
}

// keepRaw adds inputs and command in base64 where JSON cannot tell them.
func (r *Record) keepRaw() {
	if !utf8.ValidString(r.Command) {
		r.RawCommand = []byte(r.Command)
	}
	if !slices.ContainsFunc(r.Inputs, func(v string) bool { return !utf8.ValidString(v) }) {
		return
	}
	for _, v := range r.Inputs {
		r.RawInputs = append(r.RawInputs, []byte(v))
	}
}

type recordStream struct {
	head     []byte // without the closing brace
	out, err Stream
}

// Len is an estimate, never 0.
func (r *recordStream) Len() int64 {
	return int64(len(r.head)) + length(r.out) + length(r.err) + 1
}

func (r *recordStream) WriteTo(w io.Writer) (int64, error) {
	b := bufio.NewWriterSize(w, outputBuffer)
	c := &byteCounter{w: b}
	c.Write(r.head)
	for _, s := range []struct {
		name   string
		stream Stream
	}{{"stdout", r.out}, {"stderr", r.err}} {
		if err := writeMember(c, s.name, s.stream); err != nil {
			return c.n, err
		}
	}
	io.WriteString(c, "}\n")
	return c.n, b.Flush() // which knows of any earlier error
}

func (r *recordStream) Close() error {
	o := Output{Stdout: r.out, Stderr: r.err}
	o.close()
	return nil
}

// writeMember writes ,"name":"…".
func writeMember(w io.Writer, name string, s Stream) error {
	text := &textCheck{}
	if length(s) > 0 {
		if _, err := s.WriteTo(text); err != nil {
			return err
		}
	}
	if text.isText() {
		fmt.Fprintf(w, `,"%s":"`, name)
		if length(s) > 0 {
			if _, err := s.WriteTo(&jsonEscaper{w: w}); err != nil {
				return err
			}
		}
	} else {
		fmt.Fprintf(w, `,"%s_base64":"`, name)
		e := base64.NewEncoder(base64.StdEncoding, w)
		if _, err := s.WriteTo(e); err != nil {
			return err
		}
		if err := e.Close(); err != nil {
			return err
		}
	}
	_, err := io.WriteString(w, `"`)
	return err
}

// A byteCounter counts what passes.
type byteCounter struct {
	w io.Writer
	n int64
}

func (c *byteCounter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += int64(n)
	return n, err
}

// A textCheck finds out whether what is written to it, in pieces, is UTF-8.
type textCheck struct {
	rest []byte // the start of a character
	bad  bool
}

func (t *textCheck) Write(p []byte) (int, error) {
	b := append(t.rest, p...)
	for len(b) > 0 && !t.bad {
		if !utf8.FullRune(b) {
			break
		}
		r, n := utf8.DecodeRune(b)
		t.bad = r == utf8.RuneError && n == 1
		b = b[n:]
	}
	t.rest = append([]byte(nil), b[:min(len(b), utf8.UTFMax)]...)
	return len(p), nil
}

func (t *textCheck) isText() bool { return !t.bad && len(t.rest) == 0 }

// A jsonEscaper writes UTF-8 as the inside of a JSON string.
type jsonEscaper struct{ w io.Writer }

func (e *jsonEscaper) Write(p []byte) (int, error) {
	start := 0
	for i, c := range p {
		if c >= ' ' && c != '"' && c != '\\' {
			continue
		}
		if _, err := e.w.Write(p[start:i]); err != nil {
			return start, err
		}
		escape := fmt.Sprintf(`\u%04x`, c)
		if short, ok := shortEscapes[c]; ok {
			escape = short
		}
		if _, err := io.WriteString(e.w, escape); err != nil {
			return start, err
		}
		start = i + 1
	}
	if _, err := e.w.Write(p[start:]); err != nil {
		return start, err
	}
	return len(p), nil
}

var shortEscapes = map[byte]string{'\n': `\n`, '\r': `\r`, '\t': `\t`, '"': `\"`, '\\': `\\`}
