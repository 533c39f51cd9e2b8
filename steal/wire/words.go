package wire

import (
	"slices"

	"github.com/filchsched/filch/exec/task"
	"github.com/filchsched/filch/steal/core"
)

// The fewest bytes that the structs of this file take.
const (
	leastPiece   = 7
	leastClaim   = 1 + leastPiece + 1 + leastWarrant
	leastWarrant = 1 + 3 + 18
	leastLane    = 3
	leastPart    = 1 + leastPiece + 1 + leastWarrant + 3
	leastJob     = 1 + 2 + 16
	leastEnd     = 1 + leastPiece + 2 + leastWarrant
	leastExcept  = 6
	leastOutcome = 1 + leastPiece + leastWarrant + 4
)

func (c *coder) job(j *core.JobID) {
	c.peer(&j.Home)
	c.u64(&j.Seq)
}

func (c *coder) span(s *core.Span) {
	c.u64(&s.Lo)
	c.u64(&s.Hi)
	if c.reading && c.err == nil && s.Hi <= s.Lo {
		c.failf("the span from %d to %d", s.Lo, s.Hi)
	}
}

func (c *coder) attempt(a *core.Attempt) {
	c.u64(&a.Incarnation)
	c.u32(&a.N)
}

func (c *coder) piece(p *core.Piece) {
	x := c.open(6)
	c.job(&p.Job)
	c.span(&p.Span)
	c.attempt(&p.Attempt)
	c.close(x)
}

func (c *coder) pieces(p *[]core.Piece) { list(c, p, maxClaims, leastPiece, (*coder).piece) }

// warrant is empty where a middle speaks about what it never got: Lo and Hi are 0 then.
func (c *coder) warrant(w *core.Warrant) {
	x := c.open(4)
	c.u64(&w.Lo)
	c.u64(&w.Hi)
	c.peer(&w.Holder)
	c.fixed(w.MAC[:])
	c.close(x)
}

func (c *coder) claim(q *core.Claim) {
	x := c.open(3)
	c.piece(&q.Piece)
	s := uint8(q.State)
	c.u8(&s)
	q.State = core.ClaimState(s)
	if c.reading && (q.State < core.ClaimUnstarted || q.State > core.ClaimGoneUp) {
		c.failf("a claim in state %d", s)
	}
	c.warrant(&q.Warrant)
	c.close(x)
}

func (c *coder) claims(q *[]core.Claim) { list(c, q, maxClaims, leastClaim, (*coder).claim) }

func (c *coder) lane(l *core.LaneLeft) {
	x := c.open(2)
	c.u32(&l.Lane)
	c.duration(&l.Left)
	c.close(x)
}

func (c *coder) lanes(l *[]core.LaneLeft) { list(c, l, maxLanes, leastLane, (*coder).lane) }

// termsFields are those that must be there.
const termsFields = 14

func (c *coder) terms(t *core.Terms) {
	x := termsFields
	if !c.reading {
		x++
	}
	x = c.open(x)
	c.name(&t.Name)
	c.kind(&t.Kind)
	c.bool(&t.Idempotent)
	c.bool(&t.Keep)
	c.bool(&t.Durable)
	c.u8(&t.Retries)
	c.u8(&t.CrashLimit)
	c.duration(&t.Estimate)
	c.int(&t.Needs.Cores)
	c.i64(&t.Needs.Memory)
	c.i8(&t.Nice)
	c.u32(&t.InBytes)
	c.u32(&t.OutBytes)
	c.where(&t.Where)
	if !c.reading || x > 0 { // who wrote fewer fields has no children
		c.bool(&t.Child)
		x--
	}
	c.close(x)
}

func (c *coder) where(w *core.Where) {
	x := c.open(6)
	list(c, &w.Require, maxLabels, 1, (*coder).name)
	list(c, &w.On, maxPeers, 1, (*coder).peer)
	list(c, &w.Avoid, maxPeers, 1, (*coder).peer)
	c.bool(&w.Local)
	c.u32(&w.MaxRunning)
	c.dir(&w.Dir)
	c.close(x)
}

func (c *coder) dir(d **core.Dir) {
	if c.reading {
		if c.next() == 0xc0 {
			c.fail(c.dec.DecodeNil())
			return
		}
		*d = new(core.Dir)
	} else if *d == nil {
		c.fail(c.enc.EncodeNil())
		return
	}
	x := c.open(3)
	c.path(&(*d).Path)
	c.name(&(*d).File)
	c.fixed((*d).Nonce[:])
	c.close(x)
}

// path must not be cut.
func (c *coder) path(s *string) {
	if len(*s) > maxPath {
		c.failf("a path of %d bytes: at most %d", len(*s), maxPath)
	}
	c.text(s, maxPath)
}

// A jobTerms is what the parts of a grant that are of one job have in common.
type jobTerms struct {
	job   core.JobID
	terms core.Terms
}

func (c *coder) jobTerms(j *jobTerms) {
	x := c.open(3)
	c.job(&j.job)
	c.terms(&j.terms)
	c.close(x)
}

func (j *jobTerms) covers(p *core.Part) bool { return j.job == p.Job && equalTerms(&j.terms, &p.Terms) }

func equalTerms(a, b *core.Terms) bool {
	v, w := &a.Where, &b.Where
	return a.Name == b.Name && a.Kind == b.Kind && a.Idempotent == b.Idempotent && a.Keep == b.Keep && a.Durable == b.Durable &&
		a.Retries == b.Retries && a.CrashLimit == b.CrashLimit && a.Estimate == b.Estimate && a.Needs == b.Needs && a.Nice == b.Nice &&
		a.Child == b.Child && a.InBytes == b.InBytes && a.OutBytes == b.OutBytes && v.Local == w.Local && v.MaxRunning == w.MaxRunning &&
		slices.Equal(v.Require, w.Require) && slices.Equal(v.On, w.On) && slices.Equal(v.Avoid, w.Avoid) && equalDirs(v.Dir, w.Dir)
}

func equalDirs(a, b *core.Dir) bool { return a == b || a != nil && b != nil && *a == *b }

// parts writes terms once per job. A part is its job's number in that list and the rest.
func (c *coder) parts(parts *[]core.Part) {
	var jobs []jobTerms
	if !c.reading {
		for k := range *parts {
			p := &(*parts)[k]
			if !slices.ContainsFunc(jobs, func(j jobTerms) bool { return j.covers(p) }) {
				jobs = append(jobs, jobTerms{p.Job, p.Terms})
			}
		}
	}
	list(c, &jobs, maxParts, leastJob, (*coder).jobTerms)
	list(c, parts, maxParts, leastPart-leastPiece, func(c *coder, p *core.Part) {
		n := uint32(0)
		if !c.reading {
			n = uint32(slices.IndexFunc(jobs, func(j jobTerms) bool { return j.covers(p) }))
		}
		x := c.open(9)
		c.u32(&n)
		if c.reading && c.err == nil {
			if int(n) >= len(jobs) {
				c.failf("job %d of %d", n, len(jobs))
				return
			}
			p.Job, p.Terms = jobs[n].job, jobs[n].terms
		}
		c.span(&p.Span)
		c.attempt(&p.Attempt)
		c.warrant(&p.Warrant)
		c.u32(&p.Lane)
		c.u8(&p.Depth)
		c.bool(&p.Suspect)
		c.close(x)
	})
}

func (c *coder) end(e *core.End) {
	x := c.open(4)
	c.piece(&e.Piece)
	k := uint8(e.Kind)
	c.u8(&k)
	e.Kind = core.EndKind(k)
	if c.reading && (e.Kind < core.EndReturned || e.Kind > core.EndStarted) {
		c.failf("an end of kind %d", k)
	}
	c.text(&e.Refused, maxText)
	c.warrant(&e.Warrant)
	c.close(x)
}

func (c *coder) exception(e *core.Exception) {
	x := c.open(5)
	c.u64(&e.Index)
	s := uint8(e.State)
	c.u8(&s)
	e.State = task.State(s)
	c.i32(&e.Exit)
	c.bool(&e.Smell)
	c.text(&e.Reason, maxText)
	c.close(x)
}

func (c *coder) outcome(o *core.Outcome) {
	x := c.open(6)
	c.piece(&o.Piece)
	c.warrant(&o.Warrant)
	list(c, &o.Values, maxValues, 1, (*coder).value)
	if c.reading && c.err == nil && len(o.Values) > 0 && uint64(len(o.Values)) != o.Len() {
		c.failf("%d values of %d tasks", len(o.Values), o.Len())
	}
	list(c, &o.Exceptions, maxValues, leastExcept, (*coder).exception)
	c.duration(&o.Ran)
	c.peer(&o.Host)
	c.close(x)
}
