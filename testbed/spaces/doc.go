// Package spaces gives a test network namespaces of its own: a bridge, hosts on it, a router
// that masquerades, sites of their own. The test runs itself as process 1 of new namespaces for processes, mounts and
// networks, and dies with its parent. When it ends, in whatever way, the kernel ends every process in
// there and removes every interface, rule and file; the machine's own network is never touched.
//
// It needs Linux, root, ip and iptables; a test is skipped where there is none.
package spaces
