package main

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// A score is what one contender did in a contest.
type score struct {
	contender contender
	rounds    []lap // one per measured round, in order
	peak      int64 // most resident memory of any turn, bytes; 0 if unknown
	err       error // why it was dropped from the contest
}

func (s score) took() []time.Duration {
	times := make([]time.Duration, len(s.rounds))
	for i, r := range s.rounds {
		times[i] = r.Elapsed
	}
	return times
}

// A standing is a contest with the scores of its contenders, in their order.
type standing struct {
	contest contest
	scores  []score
}

// score returns the score of the contender of that name; ok is false if it is
// not there or has no measured round.
func (s standing) score(name string) (score, bool) {
	for _, sc := range s.scores {
		if sc.contender.name == name {
			return sc, len(sc.rounds) > 0
		}
	}
	return score{}, false
}

// ours returns the score the ratios refer to: the first of filch's.
func (s standing) ours() (score, bool) {
	for _, sc := range s.scores {
		if sc.contender.filch && len(sc.rounds) > 0 {
			return sc, true
		}
	}
	return score{}, false
}

// A turnRunner runs one turn and returns its laps and the most memory it held.
type turnRunner func(ctx context.Context, c contest, con contender, rehearsal bool) (turnResult, error)

// play runs a contest: a rehearsal, which warms up and verifies, then the
// measured rounds. A contender that fails is out of the remaining rounds; the
// error joins all failures. progress is told about each turn.
func play(ctx context.Context, c contest, rounds int, turn turnRunner, progress func(string)) (standing, error) {
	s := standing{contest: c, scores: make([]score, len(c.contenders))}
	for i, con := range c.contenders {
		s.scores[i].contender = con
	}
	var failures []error
	for round := range rounds + 1 {
		for i := range s.scores {
			sc := &s.scores[(i+round)%len(s.scores)]
			if sc.contender.missing != "" || sc.err != nil {
				continue
			}
			progress(fmt.Sprintf("%s: round %d of %d: %s", c.key, round, rounds, sc.contender.name))
			result, err := turn(ctx, c, sc.contender, round == 0)
			if ctx.Err() != nil {
				return s, errors.Join(append(failures, ctx.Err())...)
			}
			if err != nil {
				failures = append(failures, fmt.Errorf("%s: %s: %w", c.key, sc.contender.name, err))
			}
			sc.enter(result, err)
		}
	}
	return s, errors.Join(failures...)
}

// enter records a turn. The figures of a contender that was once wrong mean
// nothing, so they are dropped.
func (s *score) enter(result turnResult, err error) {
	if err != nil {
		s.err, s.rounds = err, nil
		return
	}
	if !s.contender.elsewhere {
		s.peak = max(s.peak, result.Peak)
	}
	if len(result.Laps) > 0 {
		s.rounds = append(s.rounds, middleLap(result.Laps))
	}
}
