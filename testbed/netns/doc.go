// Package netns runs real "filch up" processes in network namespaces of one machine: what
// loopback and virtual time cannot show. Its one test is TestNamespaces; "make netns" runs
// it with 20 nodes, FILCH_NETNS=6 with six that do without the router, the partition and the
// loss of UDP, and take less than a minute. It needs Linux, root, ip and iptables, and says
// so where it is skipped.
//
// # The network
//
//	segment 10.99.0.0/24, a bridge
//	├── shared   10.99.0.10: many nodes, one address, a port each
//	├── nat      10.99.0.20: a router that masquerades, without any forwarded port
//	│   └── 10.50.0.0/24: a namespace per node
//	└── alone…   10.99.0.30 and up: a namespace per node
//
// A node behind the router can be reached only by those it has spoken to, and all of them
// appear under one address, as do all of the shared namespace. Nobody outside has a route to
// 10.50.0.0/24.
//
// # What is looked at
//
// Every node is watched over its control socket from its start, so that a state that lasted
// a moment is seen, too. Where the test says that all nodes agree, "filch nodes
// --output json" of each has said so. What is killed or cut off may be suspect or failed; a
// member that is so without reason is a false failure, and there may be none.
package netns
