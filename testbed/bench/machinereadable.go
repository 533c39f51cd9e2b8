package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
)

// The JSON form carries every round, so that any statistic can be made of it.

type jsonReport struct {
	Command     []string          `json:"command"`
	Machine     machine           `json:"machine"`
	Versions    map[string]string `json:"versions"`
	Workers     int               `json:"workers"`
	StolenShare float64           `json:"stolen_share"`
	Contests    []jsonContest     `json:"contests"`
}

type jsonContest struct {
	Key        string          `json:"key"`
	Title      string          `json:"title"`
	Unit       string          `json:"unit"`
	Operations int             `json:"operations"`
	Contenders []jsonContender `json:"contenders"`
	Goals      []jsonGoal      `json:"goals"`
}

type jsonContender struct {
	Name     string   `json:"name"`
	Config   string   `json:"config"`
	Filch    bool     `json:"filch"`
	Aside    bool     `json:"aside"`
	Skipped  string   `json:"skipped,omitempty"`
	RoundsNS []int64  `json:"rounds_ns"`
	Mallocs  []uint64 `json:"mallocs"`
	Peak     int64    `json:"peak_bytes,omitempty"`
	MedianNS int64    `json:"median_ns"`
	Ratio    float64  `json:"ratio_to_filch,omitempty"`
}

type jsonGoal struct {
	Text  string  `json:"text"`
	Value float64 `json:"value"`
	Min   float64 `json:"min"`
	Max   float64 `json:"max"`
	Goal  float64 `json:"goal"`
	Under bool    `json:"under"`
	Met   bool    `json:"met"`
}

func (r report) writeJSON(w io.Writer) error {
	out := jsonReport{
		Command: r.command, Machine: r.machine, Versions: r.versions,
		Workers: r.settings.Workers, StolenShare: r.stolen,
	}
	for _, s := range r.standings {
		out.Contests = append(out.Contests, s.forJSON())
	}
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	return enc.Encode(out)
}

func (s standing) forJSON() jsonContest {
	c := jsonContest{Key: s.contest.key, Title: s.contest.title, Unit: s.contest.unit, Operations: s.contest.operations, Goals: []jsonGoal{}}
	ours, ok := s.ours()
	for _, sc := range s.scores {
		j := jsonContender{
			Name: sc.contender.name, Config: sc.contender.config, Filch: sc.contender.filch, Aside: sc.contender.aside,
			RoundsNS: []int64{}, Mallocs: []uint64{}, Peak: sc.peak,
		}
		for _, r := range sc.rounds {
			j.RoundsNS = append(j.RoundsNS, r.Elapsed.Nanoseconds())
			j.Mallocs = append(j.Mallocs, r.Mallocs)
		}
		j.MedianNS = median(sc.took()).Nanoseconds()
		if len(sc.rounds) == 0 {
			j.Skipped = sc.absence()
		} else if ok {
			j.Ratio = timesFaster(sc, ours).value
		}
		c.Contenders = append(c.Contenders, j)
	}
	for _, g := range s.goals() {
		c.Goals = append(c.Goals, jsonGoal{g.text, g.got.value, g.got.min, g.got.max, g.want, g.under, g.met()})
	}
	return c
}

// writeBench prints a line per round in the format of `go test -bench`, which
// benchstat reads.
func (r report) writeBench(w io.Writer) error {
	fmt.Fprintf(w, "goos: %s\ncpu: %s\n", strings.ReplaceAll(r.machine.OS, "/", "\ngoarch: "), r.machine.CPU)
	for _, s := range r.standings {
		for _, sc := range s.scores {
			name := strings.ReplaceAll(s.contest.key+"/"+sc.contender.name, " ", "_")
			for _, round := range sc.rounds {
				fmt.Fprintf(w, "Benchmark%s%s-%d\t1\t%d ns/op\t%.6f allocs/%s\n", strings.ToUpper(name[:1]), name[1:],
					r.machine.GOMAXPROCS, round.Elapsed.Nanoseconds(), float64(round.Mallocs)/float64(s.contest.operations), s.contest.unit)
			}
		}
	}
	return nil
}
