// Package compose makes a testbed of containers: racks of real nodes on one machine, for docker-compose
// (version 1) and for "docker compose" (version 2). It is what "filch testbed" does.
//
// # What is decided and what is done
//
// A [Plan] says how many racks, nodes and cores there are. [Plan.File] and its like turn it into text, and
// do nothing else; golden files hold what they write. [Write] puts that text into a directory, with the
// build context of an image FROM scratch and the secret of a new cluster. An [Engine] is the Docker engine: the only
// thing here that runs anything.
//
// # Racks
//
// Each rack is a network, and one more, the backbone, joins all of them; a node is on its rack's and on
// the backbone. Networks of an engine do not reach each other, so what is cut is cut: a
// node that is disconnected from the backbone has its rack left, and only it; one that is disconnected from both is alone;
// a rack whose nodes are all disconnected from the backbone is a partition. All of that is one
// verb of the engine and needs no privilege in the containers. Addresses are not translated, so nothing leaves the machine.
//
// Rejected: a router per rack. It would be the more faithful picture, with one line that a whole rack shares, but each node
// would need a route, and with it the right to change its network, and a shell. testbed/wan has lines with a delay, a rate and a
// router.
//
// All containers run on one kernel, which nodes recognise by its boot ID. Here each stands for a machine of its own, so each has the label
// host beside rack and zone.
//
// # The disk
//
// A node's data directory is in its container. A container that is stopped or killed and started again is the machine with
// its disk; one that is made anew is a machine with a new disk, which is somebody else to the others.
package compose
