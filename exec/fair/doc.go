// Package fair decides whose turn it is. It is pure: the caller holds its lock,
// owns the clock, and says what was used.
//
// # States
//
// A job wants turns or does not, and has some out. It stands in line while it wants
// one more and may have it (its limit); it is away while it neither stands in
// line nor has a turn out. Groups (tenants) hold jobs and groups; a group stands in
// line while any child does.
//
// # Rules
//
// Every level is ordered by virtual runtime: service × 1024 ÷ weight, as in the
// kernel's CFS (kernel/sched/fair.c). Take goes down from the root to the child that
// has the least. A turn is charged when it is taken, for a slice or for what a task of
// the job usually takes, at every level on the way, and corrected when it is settled:
// paying afterwards lets all workers that ask at the same time take the same
// job (scx_flatcg). Renew settles and goes on if nobody is further behind.
//
// The floor of a group is the virtual runtime of the least child that was taken last;
// it only grows. Lag is kept against it:
//
//   - who goes away keeps its runtime, and how far it was below the floor, at most
//     creditSlices; it comes back with that, or with its runtime if that is more. So
//     absence earns nothing, and a debt is paid off by being absent;
//   - who could not use its share because it had no more work or stood at its
//     limit comes back no further below the floor than creditSlices. Any such bound
//     keeps it first in line for what it can use; clamping all the time instead
//     takes its share away (Jain's index 0.72 in a simulation);
//   - a newborn owes a slice, or a stream of one-task jobs would keep all
//     others out.
//
// # Invariants
//
// What is paid ahead is what the turns that are out have paid, to the
// nanosecond (checked at every settlement); a job is in its group's heap exactly
// while it stands in line. Virtual times are compared by difference, so they may
// wrap around.
//
// # Rejected
//
// EEVDF's eligibility and deadlines: in simulation the order of picks gained
// nothing over least runtime; they can come when a latency test asks for them.
// V as the weighted average: a job of great weight that can use little drags
// it behind and hands credit to everybody who leaves and returns.
package fair
