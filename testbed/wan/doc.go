// Package wan lays long lines between network namespaces, with delay, loss and a rate, and tries real
// nodes over them. "make wan" does it; it needs Linux, root, /dev/net/tun, ip and iptables, and says so where it is
// skipped. tc's netem would do the same to packets, and is not in every kernel.
//
// # The line
//
// What a line does to packets is decided in package line, which knows neither devices nor clocks. A [Cable] is two TUN
// devices with a line in each direction between them (cable.go): a goroutine reads packets, another one
// writes those that have arrived.
//
// # The sites
//
// A site is a router with a bridge behind it and a namespace for each host on that. A cable joins the routers of
// two sites.
//
//	s0, s1 … ── router west ═══ cable ═══ router east ── s2, s3 …
//	10.61.0.0/24            10.60.0.0/30              10.62.0.0/24
//
// Each node is shown a boot ID of its own, so that it does not take the others for its own machine. A router can
// masquerade its site and let nothing in that is not an answer ("behind NAT"), or drop all UDP.
//
// # What is tried
//
// [TestFarSites]: work that is submitted on one site is run on both, once each, over 20 and 80 ms of round trip and 10 Mbit/s,
// also where some packets are lost. [TestOutgoingOnly]: a node that nobody can dial steals and is stolen from, also long after
// its last connection was closed. [TestWithoutUDP]: the same as TestFarSites over TCP alone. [TestFarSitesAreWorthIt] is the figure: how much
// longer work takes that is stolen across the line than the same work dealt out beforehand.
//
// What is judged is who ran what, and that each call returned once with the right result. Times are for people.
package wan
