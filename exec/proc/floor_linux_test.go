package proc

import "testing"

// A peak is told only if it is the command's: not our own, not filch's, and not none
// because filch is large.
func TestPeakOfAddressSpace(t *testing.T) {
	if p := peakOfAddressSpace(); p < 1<<20 || p == floorExpected {
		t.Errorf("ours is %d", p)
	}
	var f floor
	f.bytes.Store(1 << 20)
	if got := f.under(floorExpected); got != 1<<20 {
		t.Errorf("under a large peak: %d", got)
	}
	if got := f.under(3 << 19); got <= 3<<19 {
		t.Errorf("under a small peak: %d", got)
	}
}
