package steal

import "sync/atomic"

// Stats counts what a driver did, for metrics.
type Stats struct {
	ControlIn, ControlOut uint64 // bytes on control streams
	DataIn, DataOut       uint64 // bytes on data streams
	FramesIn, FramesOut   uint64
	BeatsOut              uint64 // of FramesOut, heartbeats and their answers
	OffersOut             uint64 // of FramesOut, those by which work is looked for: offers and answers without work, registrations, news, invitations
	Steps                 uint64
	LateSteps             uint64 // ticks that came later than the core wanted, by 100 ms or more
	Overflows             uint64 // channels closed because the peer did not read
	Garbage               uint64 // streams closed because of what came on them
	Versions              uint64 // streams of another version
	Broken                uint64 // channels that ended by themselves
	Fetches, FetchFailed  uint64 // of bodies
	Unbodied              uint64 // runs that ended because a body could not be had
	OutputsIn, OutputsOut uint64
}

type counters struct {
	controlIn, controlOut, dataIn, dataOut, framesIn, framesOut, beatsOut, offersOut, steps, lateSteps, overflows, garbage,
	versions, broken, fetches, fetchFailed, unbodied, outputsIn, outputsOut atomic.Uint64
}

// Stats returns the counts so far.
func (d *Driver) Stats() Stats {
	c := &d.counts
	return Stats{
		ControlIn: c.controlIn.Load(), ControlOut: c.controlOut.Load(), DataIn: c.dataIn.Load(), DataOut: c.dataOut.Load(),
		FramesIn: c.framesIn.Load(), FramesOut: c.framesOut.Load(), BeatsOut: c.beatsOut.Load(), OffersOut: c.offersOut.Load(), Steps: c.steps.Load(), LateSteps: c.lateSteps.Load(),
		Overflows: c.overflows.Load(), Garbage: c.garbage.Load(), Versions: c.versions.Load(), Broken: c.broken.Load(),
		Fetches: c.fetches.Load(), FetchFailed: c.fetchFailed.Load(), Unbodied: c.unbodied.Load(),
		OutputsIn: c.outputsIn.Load(), OutputsOut: c.outputsOut.Load(),
	}
}
