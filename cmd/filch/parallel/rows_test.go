package parallel

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"
)

// collect reads all rows.
func collect(t *testing.T, r *Rows) (rows [][]string) {
	t.Helper()
	for {
		row, err := r.Next()
		if err == io.EOF {
			return rows
		}
		if err != nil {
			t.Fatal(err)
		}
		if row.Seq != uint64(len(rows))+1 {
			t.Fatalf("row %d has number %d", len(rows)+1, row.Seq)
		}
		rows = append(rows, row.Columns)
	}
}

func open(t *testing.T, sources []Source, o Options) *Rows {
	t.Helper()
	r, err := OpenRows(sources, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	return r
}

func TestSplitArgs(t *testing.T) {
	command, sources := SplitArgs(strings.Fields("a -b ::: c d :::+ e :::: f - ::::+ g h :::"))
	want := []Source{
		{Values: []string{"c", "d"}},
		{Values: []string{"e"}, Linked: true},
		{File: "f"},
		{File: "-"},
		{File: "g", Linked: true},
		{File: "h", Linked: true},
		{Values: []string{}},
	}
	if !reflect.DeepEqual(command, []string{"a", "-b"}) || !reflect.DeepEqual(sources, want) {
		t.Errorf("got %q, %+v", command, sources)
	}
}

func TestRecords(t *testing.T) {
	long := strings.Repeat("x", 1<<20)
	for _, c := range []struct {
		in   string
		null bool
		want []string
	}{
		{"", false, nil},
		{"a", false, []string{"a"}},
		{"a\n", false, []string{"a"}},
		{"\n", false, []string{""}},
		{"a\r\nb\r\n", false, []string{"a\r", "b\r"}},
		{"a\x00b\n", false, []string{"a\x00b"}},
		{"a\nb\x00c", true, []string{"a\nb", "c"}},
		{long + "\n" + long, false, []string{long, long}},
		{long[:readBuffer-1] + "\nb\n", false, []string{long[:readBuffer-1], "b"}},
		{long[:readBuffer] + "\nb\n", false, []string{long[:readBuffer], "b"}},
		{long[:readBuffer] + "\n", false, []string{long[:readBuffer]}},
	} {
		r := open(t, nil, Options{Stdin: strings.NewReader(c.in), Null: c.null})
		var got []string
		for _, row := range collect(t, r) {
			got = append(got, row...)
		}
		if !reflect.DeepEqual(got, c.want) {
			t.Errorf("%.40q: got %.80q, want %.80q", c.in, got, c.want)
		}
	}
}

func TestRecordLimit(t *testing.T) {
	for _, text := range []string{"ok\n12345678901\n", "ok\n12345678901"} {
		s := newRecords("F", iotest.OneByteReader(strings.NewReader(text)), nil, '\n')
		s.limit = 10
		if v, err := s.next(); v != "ok" || err != nil {
			t.Fatal(v, err)
		}
		if _, err := s.next(); err != nil {
			continue // shorter than the read buffer: found at its end
		}
		t.Errorf("%q: a record beyond the limit was accepted", text)
	}
	s := newRecords("F", strings.NewReader(strings.Repeat("x", 3*readBuffer)), nil, '\n')
	s.limit = 2 * readBuffer
	if _, err := s.next(); err == nil || !strings.Contains(err.Error(), "record 1 of F is longer") {
		t.Errorf("got %v", err)
	}
}

func TestReadErrorIsTold(t *testing.T) {
	broken := io.MultiReader(strings.NewReader("a\nb"), iotest.ErrReader(errors.New("boom")))
	r := open(t, nil, Options{Stdin: broken})
	if row, err := r.Next(); err != nil || row.Columns[0] != "a" {
		t.Fatal(row, err)
	}
	if _, err := r.Next(); err == nil || !strings.Contains(err.Error(), "standard input after record 1: boom") {
		t.Errorf("half a record was taken for a whole one: %v", err)
	}
}

func TestUnreadableFiles(t *testing.T) {
	dir := t.TempDir()
	for path, want := range map[string]string{
		filepath.Join(dir, "none"): "no such file or directory",
		dir:                        "it is a directory",
	} {
		_, err := OpenRows([]Source{{Values: []string{"a"}}, {File: path}}, Options{})
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: got %v", path, err)
		}
	}
}

func TestSkipBlank(t *testing.T) {
	r := open(t, nil, Options{Stdin: strings.NewReader("\n \t\na\n\n"), SkipBlank: true})
	if got := collect(t, r); !reflect.DeepEqual(got, [][]string{{"a"}}) {
		t.Errorf("got %q", got)
	}
}

// Invariant: only the sources after the first are remembered.
func TestFirstSourceIsStreamed(t *testing.T) {
	const n = 300_000
	in, out := io.Pipe()
	go func() {
		for i := range n {
			fmt.Fprintf(out, "a line of input with the number %d\n", i)
		}
		out.Close()
	}()
	r := open(t, []Source{{File: "-"}, {Values: []string{"a", "b"}}}, Options{Stdin: in})
	before := heap()
	for i := range 2 * n {
		row, err := r.Next()
		if err != nil || row.Columns[1] != []string{"a", "b"}[i%2] {
			t.Fatal(row, err)
		}
	}
	if grown := heap() - before; grown > 1<<20 {
		t.Errorf("%d rows later there are %d bytes more", 2*n, grown)
	}
	if _, err := r.Next(); err != io.EOF {
		t.Errorf("got %v", err)
	}
}

func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// Lines are passed on as they come: whoever types them need not end the input first.
func TestRowsArriveAsRead(t *testing.T) {
	in, out := io.Pipe()
	defer out.Close()
	r := open(t, nil, Options{Stdin: in})
	for _, line := range []string{"a", "b"} {
		go io.WriteString(out, line+"\n")
		if row, err := r.Next(); err != nil || row.Columns[0] != line {
			t.Fatal(row, err)
		}
	}
}

func TestRememberedIsBounded(t *testing.T) {
	r := open(t, []Source{{Values: []string{"a"}}, {File: "-"}}, Options{Stdin: strings.NewReader(strings.Repeat("b\n", 100))})
	r.limit = 50
	if _, err := r.Next(); err == nil || !strings.Contains(err.Error(), "largest source first") {
		t.Errorf("got %v", err)
	}
}

// The cross product of k sources is all combinations, once each, in order.
func TestCrossProduct(t *testing.T) {
	r := open(t, []Source{
		{Values: []string{"0", "1", "2"}}, {Values: []string{"0", "1"}}, {Values: []string{"0"}}, {Values: []string{"0", "1", "2", "3"}},
	}, Options{})
	last := ""
	rows := collect(t, r)
	for _, row := range rows {
		now := strings.Join(row, "")
		if now <= last {
			t.Fatalf("%s after %s", now, last)
		}
		last = now
	}
	if len(rows) != 24 {
		t.Errorf("%d rows", len(rows))
	}
}

// Rows are not changed after they were handed out.
func TestRowsAreKept(t *testing.T) {
	r := open(t, []Source{{Values: []string{"a", "b"}}, {Values: []string{"c"}, Linked: false}}, Options{})
	one, _ := r.Next()
	two, _ := r.Next()
	if one.Columns[0] != "a" || two.Columns[0] != "b" {
		t.Errorf("got %q, %q", one.Columns, two.Columns)
	}
}

// FuzzRows: whatever the files hold, linking and crossing give the number of rows that
// the numbers of records say.
func FuzzRows(f *testing.F) {
	f.Add([]byte("a\nb"), []byte("c\n"), true, false)
	f.Add([]byte(""), []byte("c\n\n\xff\r\n"), false, false)
	f.Add([]byte("\n"), []byte("\x00\n"), false, true)
	f.Fuzz(func(t *testing.T, a, b []byte, linked, null bool) {
		if len(a) > 1000 || len(b) > 1000 {
			return
		}
		file := filepath.Join(t.TempDir(), "b")
		if err := os.WriteFile(file, b, 0o600); err != nil {
			t.Fatal(err)
		}
		sep := "\n"
		if null {
			sep = "\x00"
		}
		r := open(t, []Source{{File: "-"}, {File: file, Linked: linked}}, Options{Stdin: strings.NewReader(string(a)), Null: null})
		rows := collect(t, r)
		na, nb := count(string(a), sep), count(string(b), sep)
		want := max(na, 1) * max(nb, 1)
		if linked {
			want = min(max(na, 1), max(nb, 1))
		}
		if na == 0 && nb == 0 {
			want = 0
		}
		if len(rows) != want {
			t.Errorf("%d and %d records gave %d rows, want %d", na, nb, len(rows), want)
		}
		for _, row := range rows {
			if len(row) != 2 {
				t.Fatalf("row %q", row)
			}
		}
	})
}

// count counts records.
func count(s, sep string) int {
	n := strings.Count(s, sep)
	if s != "" && !strings.HasSuffix(s, sep) {
		n++
	}
	return n
}
