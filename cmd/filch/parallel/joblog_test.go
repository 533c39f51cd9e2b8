package parallel

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

func TestJoblogLine(t *testing.T) {
	e := Entry{Seq: 2, Host: ":", Start: time.Unix(1795358193, 809_900_000), Took: 106 * time.Millisecond,
		Received: 4, Exit: 3, Command: "echo 'a\nb'\tc; exit 3"}
	line := "2\t:\t1795358193.809\t     0.106\t0\t4\t3\t0\techo 'a\x00b'\tc; exit 3\n"
	if got := string(e.AppendTo(nil)); got != line {
		t.Errorf("got %q", got)
	}
	e.Start = e.Start.Truncate(time.Millisecond)
	got, err := ParseEntry(strings.TrimSuffix(line, "\n"))
	if err != nil || !got.Start.Equal(e.Start) {
		t.Errorf("got %v, %v", got, err)
	}
	if got.Start = e.Start; got != e {
		t.Errorf("got %+v, want %+v", got, e)
	}
}

func TestJoblogGarbage(t *testing.T) {
	good := "1\t:\t1.000\t1.000\t0\t0\t0\t0\tx"
	for _, bad := range []string{"", "\t\t\t\t\t\t\t\t", strings.Replace(good, "1", "0", 1), strings.Replace(good, "1", "-1", 1),
		strings.Replace(good, "1.000", "NaN", 1), strings.Replace(good, "1.000", "1e300", 1), strings.Replace(good, "\t0\t0", "\tx\t0", 1), "1\t:\t1"} {
		if e, err := ParseEntry(bad); err == nil {
			t.Errorf("%q is %+v", bad, e)
		}
	}
	var seqs []uint64
	read := func(text string) (int64, error) {
		seqs = nil
		return ReadJoblog(strings.NewReader(text), func(e Entry) { seqs = append(seqs, e.Seq) })
	}
	torn := JoblogHeader + good + "\n" + "2\t:\t1.0"
	if whole, err := read(torn); whole != int64(len(JoblogHeader+good)+1) || err != nil || len(seqs) != 1 {
		t.Errorf("torn: %d, %v, %v", whole, err, seqs)
	}
	if _, err := read(JoblogHeader + "garbage\n" + good + "\n"); err == nil || !strings.Contains(err.Error(), "line 2") {
		t.Errorf("garbage: %v", err)
	}
	if whole, err := read(""); whole != 0 || err != nil {
		t.Errorf("empty: %d, %v", whole, err)
	}
}

func FuzzJoblog(f *testing.F) {
	f.Add(JoblogHeader + "1\t:\t1.000\t1.000\t0\t0\t0\t0\tx\n2\t:\t")
	f.Add("\x00\n\t")
	f.Fuzz(func(t *testing.T, text string) {
		whole, err := ReadJoblog(strings.NewReader(text), func(e Entry) {
			again, err := ParseEntry(strings.TrimSuffix(string(e.AppendTo(nil)), "\n"))
			if err != nil || again.Seq != e.Seq || again.Command != e.Command || again.Exit != e.Exit {
				t.Errorf("%+v came back as %+v, %v", e, again, err)
			}
		})
		if err == nil && text[:whole] != "" && text[whole-1] != '\n' {
			t.Errorf("%q: %d bytes of whole lines", text, whole)
		}
	})
}

// What GNU parallel logs is read, and written again byte for byte.
func TestJoblogOracle(t *testing.T) {
	program, err := exec.LookPath("parallel")
	if err != nil || testing.Short() {
		t.Skip("GNU parallel is not installed, or -short")
	}
	log := filepath.Join(t.TempDir(), "log")
	c := exec.Command(program, "--will-cite", "-0", "-k", "--timeout", "1", "--joblog", log, "echo {}; test {} = a || kill -9 $$", ":::", "a", "b", "c\td", "e\nf")
	c.Env = append(os.Environ(), "PARALLEL_SHELL=/bin/sh")
	c.Run()
	text, err := os.ReadFile(log)
	if err != nil {
		t.Fatal(err)
	}
	again := []byte(JoblogHeader)
	signals := ""
	whole, err := ReadJoblog(strings.NewReader(string(text)), func(e Entry) {
		again = e.AppendTo(again)
		signals += " " + string(rune('0'+e.Signal))
	})
	if err != nil || whole != int64(len(text)) || string(again) != string(text) {
		t.Errorf("%q came back as %q, %d, %v", text, again, whole, err)
	}
	if !regexp.MustCompile(`^ 0 9 9 9`).MatchString(signals) {
		t.Errorf("signals%s", signals)
	}
}
