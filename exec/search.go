package exec

import "github.com/filchsched/filch/topology"

// stealRetries bounds how often a thief that lost a race tries the same victim
// before it looks at the others again.
const stealRetries = 4

// steal takes work of the job from another stack, and runs it. Victims are
// tried nearest first, in random order within a level, and only where the
// job's presence says that there may be something. It reports whether anything
// was found; if not, every place that was empty has been cleared, and a stack
// that pushes from now on announces the job.
func (c *Ctx) steal() bool {
	j := c.w.job
	for {
		victim := c.nearestVictim(j)
		if victim < 0 {
			return false
		}
		r, p := c.rob(j, victim)
		if r == nil && p.chunk == nil {
			continue // the place is cleared now
		}
		c.foundWork()
		c.w.nextInRow = 0
		if r != nil {
			c.inUnit = true
			c.runRoot(r)
			c.clock = c.e.now()
			c.endUnit()
		} else {
			c.runUnit(p) // what is open to thieves has been admitted
		}
		return true
	}
}

// nearestVictim returns the marked place whose stack ran nearest to this
// worker, a random one of equals, or -1 if none is marked.
func (c *Ctx) nearestVictim(j *Job) int {
	victim, equals := -1, uint64(0)
	nearest := topology.LevelRemote
	j.present.Each(func(place int) bool {
		if place == inboxPlace {
			return true
		}
		level := c.distance(place)
		switch {
		case victim < 0 || level < nearest:
			victim, nearest, equals = place, level, 1
		case level == nearest:
			equals++
			if c.w.rng.Uint64()%equals == 0 {
				victim = place // each of the equals with the same chance
			}
		}
		return true
	})
	return victim
}

// distance says how far the stack of a place was from this worker.
func (c *Ctx) distance(place int) topology.Level {
	v := c.e.byPlace[place].Load()
	if v == nil {
		return topology.LevelHost
	}
	cpus := c.e.machine.CPUs
	return c.w.cpu.Distance(cpus[int(v.lastWorker.Load())%len(cpus)])
}

// rob takes a child, or a piece of the span, from the stack at a place. What
// it takes is a unit under way. When there is nothing it clears the place.
func (c *Ctx) rob(j *Job, place int) (r *record, p piece) {
	v := c.e.byPlace[place].Load()
	if v == nil {
		c.vacate(j, place)
		return nil, p
	}
	v.visitors.Add(1)
	defer v.visitors.Add(-1)
	if v.job.Load() != j {
		c.vacate(j, place) // it has moved on with an empty deque
		return nil, p
	}
	j.units.Add(1) // before the victim can come to its end without us
	for range stealRetries {
		var again, spanAgain bool
		if r, again = v.dq.Steal(); r != nil {
			return r, p
		}
		if p, spanAgain = v.span.steal(); p.chunk != nil {
			return nil, p
		}
		if !again && !spanAgain && c.vacate(j, place) {
			break
		}
	}
	j.unitDone()
	return nil, piece{}
}

// vacate clears the presence of a place where nothing was found, and reports
// whether it stays clear. By now another stack may have the place, and have seen
// the bit set; so what counts is who is there when it is looked at again.
func (c *Ctx) vacate(j *Job, place int) bool {
	vacated, announce := j.present.Vacate(place, func() bool {
		v := c.e.byPlace[place].Load()
		return v == nil || v.job.Load() != j || v.dq.Empty() && v.span.empty()
	})
	if announce {
		c.e.announce(j)
	}
	return vacated
}
