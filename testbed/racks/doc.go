// Package racks measures, on real nodes in network namespaces, what topology and fairness promise.
// "make racks" does it; it needs Linux, root, ip and iptables, and says so where it is skipped.
//
// # Racks
//
// Nine nodes in three racks, one core each. A node takes others for its own machine if they run on one kernel, so
// each is shown a boot ID of its own, and the labels rack and zone say how far the others are. In every rack one node has work, in one more than
// in the other, each task with 64 KiB to take along and 4 KiB to bring back. What crosses racks is counted by iptables, with all that gossip and
// leases cost. The same work is done by nodes whose labels put all of them into one rack: then all are equally near, and
// whom a thief asks is chance.
//
// # Shares
//
// A home with one task, and an owner with forty, beside a home with a thousand. Each call tells when it began and on
// which node, so that what is judged is who began before whom; the times in the log are for people.
package racks
