// Package cost estimates how long a task takes here and at each peer, and says where it should go. It is the one
// cost model of filch: Decide asks it, and stealing (steal/core) takes ways, paces and the wait for a core from it. It
// decides and does nothing else; times come in as arguments.
//
// # The estimate
//
//	here   queue + cold + run
//	there  queue + to + cold + run + back     to = half a round trip + input ÷ pace, back = half a round trip + result ÷ pace
//
// Each part is a Dist: a mean, how single times vary, and how little is known of the mean. Parts add up; the sum is read as a
// log-normal. Every part is counted once: a transfer that counts twice, or a fixed latency, is what others had to repair
// (dask/distributed#7003, #6115).
//
//	run    per function and peer, by the size of the input: a discounted mean and variance of the logarithm (track.go), drawn to what
//	       the function usually takes on such a machine (function.go, speed.go) while there are few samples. The exponent of
//	       the input is learnt per function.
//	queue  what the peer said of its load, and what was sent there since; with the age of that it moves towards what is usual there, and
//	       becomes wide (queue.go). Old news never exclude anybody.
//	to     Way and Pace (way.go, pace.go), measured by what was carried.
//	cold   what the first time at a peer takes more.
//
// # The decision
//
// Candidates are compared by the 90th percentile of the whole, not by the mean: who is only probably quick loses
// (COSMOS, MobiHoc 2014). A task stays where its function ran last, at first here; it moves if that gains enough and if it is
// likely that the other is usually sooner: settle.go has the numbers. Newcomers are tried on a budget: explore.go.
//
// # Changes
//
// The world is taken for piecewise stationary. Samples lose weight by number and by time; two surprises in a row to the same side
// begin anew; what is old is doubted. testbed/decide shows how fast the world may drift before that fails.
//
// # Cost
//
// A choice among a thousand peers takes some ten microseconds and allocates nothing (BenchmarkChoose): most peers are
// dismissed by a bound that costs a few multiplications. Estimates materialises all of them for whoever wants to read them.
//
// # Rejected
//
//   - A quantile sketch per pair. It needs dozens of samples before its 90th percentile means anything; a log-normal has
//     one after three, and sums of sketches are no sketches.
//   - One speed per peer (icecream#458): what is good at one function need not be at another. The announced speed is where a
//     pair begins, not what it ends with.
//   - Thompson sampling, UCB: both explore for ever at a rate that nobody chose. A budget in time is what a user understands.
package cost
