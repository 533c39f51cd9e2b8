package parallel

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"time"
)

// JoblogHeader is the first line of a job log.
const JoblogHeader = "Seq\tHost\tStarttime\tJobRuntime\tSend\tReceive\tExitval\tSignal\tCommand\n"

// An Entry is a line of a job log: how a task ended.
type Entry struct {
	Seq      uint64
	Host     string // ":" is here
	Start    time.Time
	Took     time.Duration
	Sent     int64 // bytes of files that travelled to the host
	Received int64 // bytes that the command wrote to its standard output
	Exit     int   // -1 after a time-out
	Signal   int   // 0: none
	Command  string
}

// AppendTo appends the line of e, with its newline, as parallel writes it. Newlines within the
// command become NUL bytes.
func (e *Entry) AppendTo(dst []byte) []byte {
	dst = fmt.Appendf(dst, "%d\t%s\t%d.%03d\t%10.3f\t%d\t%d\t%d\t%d\t", e.Seq, e.Host,
		e.Start.Unix(), e.Start.Nanosecond()/int(time.Millisecond), e.Took.Seconds(), e.Sent, e.Received, e.Exit, e.Signal)
	dst = append(dst, strings.ReplaceAll(e.Command, "\n", "\x00")...)
	return append(dst, '\n')
}

// errEntry is what is wrong with a line.
var errEntry = errors.New("not a line of a job log")

// ParseEntry reads a line of a job log, without its newline.
func ParseEntry(line string) (Entry, error) {
	const columns = 9
	f := strings.SplitN(line, "\t", columns) // the command may have tabs
	if len(f) < columns {
		return Entry{}, fmt.Errorf("%w: it has %d of %d columns", errEntry, len(f), columns)
	}
	var bad error
	number := func(s string) int64 {
		n, err := strconv.ParseInt(strings.TrimSpace(s), 10, 64)
		if err != nil && bad == nil {
			bad = fmt.Errorf("%w: %q is not a number", errEntry, s)
		}
		return n
	}
	seconds := func(s string) time.Duration {
		n, err := strconv.ParseFloat(strings.TrimSpace(s), 64)
		if (err != nil || math.IsNaN(n) || math.Abs(n) > maxDuration.Seconds()) && bad == nil {
			bad = fmt.Errorf("%w: %q is not a number of seconds", errEntry, s)
			return 0
		}
		return time.Duration(math.Round(n*1000)) * time.Millisecond
	}
	e := Entry{
		Host: f[1], Took: seconds(f[3]), Sent: number(f[4]), Received: number(f[5]),
		Exit: int(number(f[6])), Signal: int(number(f[7])), Command: strings.ReplaceAll(f[8], "\x00", "\n"),
	}
	e.Start = time.Unix(0, 0).Add(seconds(f[2]))
	seq, err := strconv.ParseUint(f[0], 10, 64)
	if err != nil || seq == 0 {
		return Entry{}, fmt.Errorf("%w: %q is not a sequence number", errEntry, f[0])
	}
	e.Seq = seq
	return e, bad
}

// maxEntry bounds a line: the largest command that a system starts, quoted.
const maxEntry = 64 << 20

// ReadJoblog calls f with every entry of a job log. It returns how many bytes of whole
// lines there are: what follows was torn off when its writer was killed. A line that
// is none is an error that names it: rather none skipped than the wrong ones.
func ReadJoblog(r io.Reader, f func(Entry)) (whole int64, err error) {
	s := newRecords("the job log", r, nil, '\n')
	s.limit = maxEntry
	for n := 1; ; n++ {
		line, terminated, err := s.line()
		if err == io.EOF || err == nil && !terminated {
			return whole, nil
		}
		if err != nil {
			return whole, err
		}
		whole += int64(len(line)) + 1
		if n == 1 && line+"\n" == JoblogHeader {
			continue
		}
		e, err := ParseEntry(line)
		if err != nil {
			return whole, fmt.Errorf("line %d (%s): %w", n, abbreviated(line), err)
		}
		f(e)
	}
}

// abbreviated is the start of a line, quoted.
func abbreviated(line string) string {
	const most = 40
	if len(line) > most {
		line = line[:most] + "…"
	}
	return string(bytes.ToValidUTF8([]byte(strconv.Quote(line)), nil))
}
