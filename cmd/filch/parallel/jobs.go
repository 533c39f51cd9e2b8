package parallel

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// ParseJobs reads the argument of -j on a machine with cpus usable CPUs: N
// commands at once, N% of the CPUs (rounded up), +N more than them, -N
// fewer (at least one). 0 means as many as possible, and is returned as 0.
func ParseJobs(s string, cpus int) (int, error) {
	digits := strings.TrimLeft(s, "+-")
	sign := s[:len(s)-len(digits)]
	digits, percent := strings.CutSuffix(digits, "%")
	n, err := strconv.ParseUint(digits, 10, 31)
	if err != nil || len(sign) > 1 || percent && sign != "" || digits == "" || digits[0] == '+' {
		return 0, fmt.Errorf("%q is not a number of jobs: give N, N%%, +N or -N, or 0 for as many as possible", s)
	}
	switch {
	case percent && n == 0:
		return 0, fmt.Errorf("%q would run nothing: give at least 1%%", s)
	case percent:
		return int(math.Ceil(float64(cpus) * float64(n) / 100)), nil
	case sign == "+":
		return cpus + int(n), nil
	case sign == "-":
		return max(1, cpus-int(n)), nil
	}
	return int(n), nil
}
