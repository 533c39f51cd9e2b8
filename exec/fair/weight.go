package fair

import "fmt"

// NiceMin and NiceMax bound a nice value, as nice(2) does.
const (
	NiceMin = -20
	NiceMax = 19
)

// unit is the weight of nice 0. Virtual time of an entity of this weight runs
// as fast as real time.
const unit = 1024

// niceWeights is the Linux kernel's sched_prio_to_weight (kernel/sched/core.c):
// each step of nice changes the share by a factor of about 1.25.
var niceWeights = [NiceMax - NiceMin + 1]int64{
	88761, 71755, 56483, 46273, 36291,
	29154, 23254, 18705, 14949, 11916,
	9548, 7620, 6100, 4904, 3906,
	3121, 2501, 1991, 1586, 1277,
	1024, 820, 655, 526, 423,
	335, 272, 215, 172, 137,
	110, 87, 70, 56, 45,
	36, 29, 23, 18, 15,
}

// WeightOf returns the weight of a nice value from NiceMin to NiceMax, or an
// error that names the bounds.
func WeightOf(nice int) (int64, error) {
	if nice < NiceMin || nice > NiceMax {
		return 0, fmt.Errorf("fair: nice %d is outside %d..%d", nice, NiceMin, NiceMax)
	}
	return niceWeights[nice-NiceMin], nil
}
