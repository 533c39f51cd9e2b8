package parallel

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"
)

// inPieces is a stream that is written byte by byte.
type inPieces struct{ memory }

func (s inPieces) WriteTo(w io.Writer) (int64, error) {
	return io.Copy(struct{ io.Writer }{w}, iotest.OneByteReader(bytes.NewReader(s.memory.text)))
}

type memory struct{ text []byte }

func (m memory) Len() int64   { return int64(len(m.text)) }
func (m memory) Close() error { return nil }

func TestRecord(t *testing.T) {
	start := time.Date(2026, 1, 2, 3, 4, 5, 678_900_000, time.UTC)
	s, err := RecordStream(Record{Seq: 1, Inputs: []string{"a\"b"}, Command: "x", State: "done", Attempts: 1, Start: JSONTime(start)}, inPieces{memory{[]byte("é\n")}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"seq":1,"inputs":["a\"b"],"command":"x","state":"done","exit":0,"attempts":1,"host":"","start":"2026-01-02T03:04:05.678Z",` +
		`"wall_seconds":0,"user_seconds":0,"system_seconds":0,"stdout":"é\n","stderr":""}` + "\n"
	for range 2 { // as often as asked
		var b bytes.Buffer
		if n, err := s.WriteTo(&b); b.String() != want || n != int64(b.Len()) || err != nil {
			t.Errorf("got %s %d %v", b.String(), n, err)
		}
	}
}

// Inputs and commands that are no UTF-8 can be had from a record as they were.
func TestRecordOfBinaryInputs(t *testing.T) {
	for _, inputs := range [][]string{{"a", "\xff\xfe"}, {"\xff"}, {"a"}} {
		command := "echo " + inputs[len(inputs)-1]
		s, _ := RecordStream(Record{Inputs: inputs, Command: command}, nil, nil)
		var b bytes.Buffer
		s.WriteTo(&b)
		var back Record
		if err := json.Unmarshal([]byte(strings.Replace(b.String(), `"start":"0001-01-01T00:00:00.000Z",`, "", 1)), &back); err != nil {
			t.Fatal(err)
		}
		for i, raw := range back.RawInputs {
			back.Inputs[i] = string(raw)
		}
		if back.RawCommand != nil {
			back.Command = string(back.RawCommand)
		}
		if !slices.Equal(back.Inputs, inputs) || back.Command != command {
			t.Errorf("%q came back as %q, %q", inputs, back.Inputs, back.Command)
		}
	}
}

// FuzzRecord: what a task printed comes back as it was, whatever it is.
func FuzzRecord(f *testing.F) {
	f.Add([]byte("a\"b\\\n\r\t\x00\x7f"))
	f.Add([]byte("\xff\xfe"))
	f.Add([]byte("é\xe2\x82"))
	f.Add([]byte("\u2028\ufffd\U0001F600"))
	f.Fuzz(func(t *testing.T, out []byte) {
		s, _ := RecordStream(Record{}, inPieces{memory{out}}, nil)
		var b bytes.Buffer
		if _, err := s.WriteTo(&b); err != nil {
			t.Fatal(err)
		}
		var back struct {
			Stdout string
			Base64 *string `json:"stdout_base64"`
		}
		if err := json.Unmarshal(b.Bytes(), &back); err != nil || bytes.Count(b.Bytes(), []byte("\n")) != 1 {
			t.Fatalf("%q: %v", b.Bytes(), err)
		}
		got := []byte(back.Stdout)
		if back.Base64 != nil {
			got, _ = base64.StdEncoding.DecodeString(*back.Base64)
		}
		if !bytes.Equal(got, out) {
			t.Errorf("%q came back as %q", out, got)
		}
	})
}
