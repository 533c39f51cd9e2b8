package main

import (
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/filchsched/filch/node/nodetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// text writes files with random words in several alphabets, and bytes that are no text.
func text(t *testing.T, seed uint64) (names []string) {
	t.Helper()
	rng := rand.New(rand.NewPCG(seed, 1))
	vocabulary := []string{"a", "The", "the", "don't", "Straße", "ÉCOLE", "слово", "日本", "42", "x1", strings.Repeat("long", 50)}
	ends := []string{" ", "\n", ", ", "--", "\t\t", "\xff", ". "}
	for i := range 3 {
		var b strings.Builder
		for range 3000 {
			b.WriteString(vocabulary[rng.IntN(len(vocabulary))])
			b.WriteString(ends[rng.IntN(len(ends))])
		}
		name := filepath.Join(t.TempDir(), string(rune('a'+i)))
		if err := os.WriteFile(name, []byte(b.String()), 0o600); err != nil {
			t.Fatal(err)
		}
		names = append(names, name)
	}
	return names
}

func TestChunksDoNotCutWords(t *testing.T) {
	for seed := range uint64(5) {
		names := text(t, seed)
		got := make(Counts)
		var failed error
		for c := range chunks(names, &failed) {
			got.add(c)
		}
		want, err := sequential(names)
		if err != nil || failed != nil || !maps.Equal(got, want) {
			t.Fatalf("seed %d: %v, %v\n%v\n%v", seed, err, failed, got, want)
		}
	}
}

func TestTheCountIsTheSequentialOne(t *testing.T) {
	names := text(t, 7)
	want, err := sequential(names)
	if err != nil {
		t.Fatal(err)
	}
	for _, nodes := range []int{1, 3} {
		c := nodetest.Start(t, nodes)
		got, err := countFiles(t.Context(), c.Node(0), names)
		if err != nil || !maps.Equal(got, want) {
			t.Errorf("%d nodes: %v\n%v\n%v", nodes, err, got, want)
		}
	}
}

func TestTheCommand(t *testing.T) {
	var out, log strings.Builder
	if err := run(t.Context(), append([]string{"-nodes", "2", "-check", "-top", "2"}, text(t, 3)...), &out, &log); err != nil {
		t.Fatalf("%v\n%s", err, log.String())
	}
	if !strings.Contains(out.String(), "9000 words, 10 different ones\na sequential count says the same\n") {
		t.Errorf("%s", out.String())
	}
}

func TestWhatIsWrongIsSaid(t *testing.T) {
	long := filepath.Join(t.TempDir(), "long")
	if err := os.WriteFile(long, []byte(strings.Repeat("x", 1<<20)), 0o600); err != nil {
		t.Fatal(err)
	}
	for args, says := range map[string]string{"": "name the files", "/no/such/file": "/no/such/file: no such file", long: "a word of more than"} {
		err := run(t.Context(), strings.Fields(args), &strings.Builder{}, &strings.Builder{})
		if err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v", args, err)
		}
	}
}
