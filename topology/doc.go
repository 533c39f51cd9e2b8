// Package topology describes the machine that filch runs on: which CPUs this
// process may use, what they share, and how much CPU time it is granted. It
// also says how far apart any two places of a cluster are.
//
// # What it decides
//
// Read looks at the live system; ReadRoot and ReadFS look at a copy of another
// machine's /sys and /proc by the same code, so what is tested on copies is
// what runs. The result is a Topology, a value that does not change: a machine
// whose CPUs, quota or affinity change is read again.
//
// A CPU is usable when it is online, described by the kernel, and granted: on
// the live system by the affinity mask (which includes every cpuset), in a
// copy by the cpuset of the process that /proc/self stands for. Limits tells
// which CPUs are not usable and why. Workers is how many can be kept busy:
// min(usable, max(1, ⌈quota⌉)), where the quota is the least of all cgroups
// from the process's own up to the root that can be seen.
//
// # Levels
//
// Level is the total order of nearness: self, core, llc, numa, socket, host,
// rack, zone, remote. The distance of two CPUs is the least level among all
// that they share. Hardware nests NUMA nodes both ways (around packages, and
// inside one cache); the order of Level does not change with it, so two CPUs
// of one cache are at LevelLLC even if the cache spans two nodes.
//
// Distances are symmetric and an ultrametric: of three places, the two greater
// distances are equal. That is what lets a thief walk outward level by level:
// everybody at level n of me is at level n or nearer of each other. It holds
// because the groups that share something always nest, see below.
//
// # What the numbers mean
//
// Core, LLC, NUMA and Package of a CPU are dense numbers, equal exactly when
// two CPUs share the thing. The kernel's own numbers are useless for that: core
// numbers repeat across packages, package numbers may be -1, nodes are sparse.
// Where the machine does not say, this is assumed:
//
//   - a CPU of no core is a core of its own;
//   - CPUs of no package are together in one that nobody described, and CPUs of
//     no node in one such node;
//   - a CPU's last-level cache is the data or unified cache of the highest
//     level among its own: on a hybrid processor the low-power cores may have
//     an L2 where the others have an L3;
//   - where no cache of the whole machine is known, the smaller of package and
//     node stands in for it, as in the kernel's scheduler (cpu_coregroup_mask);
//   - a CPU without cache on a machine where others have one shares none beyond
//     its core.
//
// Topology.LLCs, Caches, Packages and Nodes list what was really described.
// They include packages, caches and nodes without usable CPUs whose memory is
// granted, as hwloc does.
//
// # Truth and nonsense
//
// Any file may be missing, cut off, or nonsense; the reader then knows less and
// never fails for it. It fails only for a tree without any CPU (ErrNoMachine)
// or without a usable one (ErrNoCPU). Reads, numbers and directories are
// bounded.
//
// Masks that contradict each other are the harder case, and firmware does
// write them. Every set of CPUs enters a family that is kept laminar: two sets
// are disjoint or one holds the other. What crosses an earlier set is left out
// (family.go). Sets enter in the order of their first CPU, cores before
// packages before caches before nodes; that order, and the rule that a set is
// what its first CPU says, are those of hwloc's Linux backend, the most widely
// tried reader of these files. A test holds the two against each other on
// dumps of real machines. In three cases we know more than it does: a cgroup
// path that a container cannot see falls back to the nearest cgroup that it
// can; a machine whose first CPU lacks its topology directory is read all the
// same; and nodes inside nodes are kept, where only repeated and crossing ones
// are errors of the firmware.
//
// # What was rejected
//
// Asking the processor (CPUID) for the structure: it needs a thread pinned to
// each CPU, lies under most hypervisors, and is wrong where the kernel was told
// otherwise. It only fills in the brand, the features and cache sizes where
// files say nothing, and it is the fallback where there are no such files
// (macOS, Windows). Distances in nanoseconds or by SLIT tables: victim choice
// needs an order and classes, and the tables are often made up. Linking hwloc:
// cgo, and a tree of objects that we would flatten at once.
//
// # Files
//
// level.go and place.go define distance; topology.go the result. tree.go reads
// files, parse.go and cpuset.go their formats. sysfs.go, caches.go, numa.go,
// kinds.go and cpuinfo.go read a machine; mounts.go, cgroup.go and quota.go its
// cgroups; family.go keeps what is read free of contradictions, assemble.go
// numbers it. read.go, root.go, archive.go and live.go are the ways in;
// draw.go, drawtree.go, drawmatrix.go and json.go the ways out.
package topology
