package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/filchsched/filch/node"
)

// Counts says how often each word came.
type Counts map[string]int

// count counts the words of one chunk after the other; the results of chunks are put together where they were made, so that one
// table travels per part of the input that another node has taken, and not one per chunk.
var count = node.DefineReduce("wordcount",
	func(_ context.Context, chunk string) (Counts, error) {
		n := make(Counts)
		n.add(chunk)
		return n, nil
	},
	func(a, b Counts) Counts {
		if a == nil {
			return b
		}
		for w, n := range b {
			a[w] += n
		}
		return a
	}, node.Version(1))

// add counts the words of a text: runs of letters, digits and apostrophes, in lower case.
func (c Counts) add(text string) {
	for w := range strings.FieldsFuncSeq(text, func(r rune) bool { return !inWord(r) }) {
		c[strings.ToLower(w)]++
	}
}

func inWord(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) || r == '\'' }

const (
	// chunkSize is how long a chunk is, about, in bytes. Reduce sends 256 of them to another node at once, and a call's
	// argument is at most 1 MiB.
	chunkSize = 2 << 10
	// maxWord bounds a word, so that a file without any end of one is an error and not the end of the memory.
	maxWord = 1 << 10
)

// chunks reads the files and yields their text in chunks that do not end within a word. What goes wrong is in *failed, and the last
// to be yielded is what came before.
func chunks(names []string, failed *error) iter.Seq[string] {
	return func(yield func(string) bool) {
		for _, name := range names {
			more, err := fileChunks(name, yield)
			if err != nil {
				*failed = fmt.Errorf("%s: %w", name, err)
			}
			if err != nil || !more {
				return
			}
		}
	}
}

func fileChunks(name string, yield func(string) bool) (more bool, err error) {
	f, err := os.Open(name)
	if err != nil {
		return false, errors.Unwrap(err)
	}
	defer f.Close()
	return split(f, yield)
}

// split cuts a text behind the first end of a word after chunkSize bytes.
func split(from io.Reader, yield func(string) bool) (more bool, err error) {
	r := bufio.NewReaderSize(from, 64<<10)
	var b []byte
	for {
		c, size, err := r.ReadRune()
		if err == io.EOF {
			return len(b) == 0 || yield(string(b)), nil
		}
		if err != nil {
			return false, err
		}
		if c == utf8.RuneError && size == 1 {
			c = ' ' // no text
		}
		b = utf8.AppendRune(b, c)
		switch {
		case len(b) < chunkSize:
		case !inWord(c):
			if !yield(string(b)) {
				return false, nil
			}
			b = b[:0]
		case len(b) > chunkSize+maxWord:
			return false, fmt.Errorf("a word of more than %d bytes", maxWord)
		}
	}
}

// sequential is the same by one goroutine that knows nothing of chunks.
func sequential(names []string) (Counts, error) {
	n := make(Counts)
	for _, name := range names {
		b, err := os.ReadFile(name)
		if err != nil {
			return nil, err
		}
		n.add(strings.ToValidUTF8(string(b), " "))
	}
	return n, nil
}
