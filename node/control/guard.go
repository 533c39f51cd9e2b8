package control

import (
	"crypto/sha256"
	"crypto/subtle"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// MinToken is the least length of a bearer token, in bytes: what cannot be guessed.
const MinToken = 16

// A Guard decides which requests on TCP are let through. It does not change, so any
// number of goroutines may use it.
type Guard struct {
	token [sha256.Size]byte
	hosts []string
}

// NewGuard returns a guard that wants the token, and accepts the given names in Host
// beside addresses and localhost.
func NewGuard(token string, hosts ...string) *Guard {
	return &Guard{token: sha256.Sum256([]byte(token)), hosts: hosts}
}

// secretPaths are not served over TCP, where what is said may be overheard.
var secretPaths = []string{"/" + Version + "/join-string"}

// check returns why a request is refused, nil when it is not. The order matters: a
// browser's request from elsewhere is refused whatever else it knows.
func (g *Guard) check(r *http.Request) error {
	switch {
	case !g.knows(r.Host):
		return &Error{http.StatusForbidden, "this node is not called " + clip(r.Host), ReasonForbidden, "ask for it by its address"}
	case crossSite(r):
		return &Error{http.StatusForbidden, "the request comes from a web page of another site", ReasonForbidden, ""}
	case !g.admits(r.Header.Get("Authorization")):
		return &Error{http.StatusUnauthorized, "the bearer token is missing or wrong", ReasonUnauthorized, `send "Authorization: Bearer TOKEN" with what is in the node's control token file`}
	case r.Method == http.MethodPost && r.URL.Path == "/"+Version+"/jobs":
		return &Error{http.StatusForbidden, "commands are not taken over TCP, where the token may be overheard", ReasonForbidden, `use the Unix socket: "filch submit" on the node's machine`}
	case slices.Contains(secretPaths, r.URL.Path):
		return &Error{http.StatusForbidden, "the cluster's secret is not told over TCP", ReasonForbidden, `use the Unix socket: "filch join-string" on the node's machine`}
	}
	return nil
}

// knows tells whether Host is an address or a name of this node. A page whose name was
// made to point at this machine sends its own name.
func (g *Guard) knows(host string) bool {
	name := host
	if h, _, err := net.SplitHostPort(host); err == nil {
		name = h
	}
	name = strings.TrimSuffix(strings.TrimPrefix(name, "["), "]")
	if _, err := netip.ParseAddr(name); err == nil {
		return true
	}
	return strings.EqualFold(name, "localhost") || slices.ContainsFunc(g.hosts, func(h string) bool { return strings.EqualFold(h, name) })
}

// crossSite tells whether a browser says that the request comes from elsewhere. Programs
// that are no browsers say nothing of the kind.
func crossSite(r *http.Request) bool {
	if site := r.Header.Get("Sec-Fetch-Site"); site != "" && site != "same-origin" && site != "none" {
		return true
	}
	origin := r.Header.Get("Origin")
	return origin != "" && !strings.EqualFold(origin, "http://"+r.Host) && !strings.EqualFold(origin, "https://"+r.Host)
}

// admits compares in a time that does not depend on the token: hashes have one length.
func (g *Guard) admits(header string) bool {
	scheme, token, _ := strings.Cut(header, " ")
	sum := sha256.Sum256([]byte(strings.TrimSpace(token)))
	return subtle.ConstantTimeCompare(sum[:], g.token[:]) == 1 && strings.EqualFold(scheme, "Bearer")
}
