package host

import (
	"context"
	"crypto/tls"
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"

	"github.com/quic-go/quic-go"
)

// loud has a host log at Debug, too.
func loud(l *logbook) func(*Config) {
	return func(c *Config) {
		c.Logger = slog.New(slog.NewTextHandler(l, &slog.HandlerOptions{Level: slog.LevelDebug}))
	}
}

// quiet requires that the reason was counted, and that nobody is alarmed.
func quiet(t *testing.T, member *Host, why Reason, log *logbook) {
	t.Helper()
	line := log.wait(t, "reason="+string(why))
	if !strings.Contains(line, "level=DEBUG") {
		t.Errorf("logged %s", line)
	}
	if n := member.Stats().Refused[why]; n == 0 {
		t.Error("not counted")
	}
	if alarms := log.with("level=WARN"); len(alarms) > 0 {
		t.Errorf("alarms: %s", alarms)
	}
}

// helloRecord is how a TLS handshake begins: the head of a record, and half of what it announces.
var helloRecord = "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + strings.Repeat("r", 200)

// Peers are dialled over QUIC and TCP at once, and the dial that loses is given up wherever
// it is. That is no refusal that anybody has to know of; whoever says something wrong before
// is a stranger.
func TestDialsGivenUpAreNoAlarm(t *testing.T) {
	for _, c := range []struct{ name, said string }{
		{"before the first byte", ""},
		{"in the greeting", greeting[:7]},
		{"after the greeting", greeting},
		{"in the TLS handshake", greeting + helloRecord},
	} {
		t.Run(c.name, func(t *testing.T) {
			log := newLogbook()
			member := start(t, loud(log))
			talk(tcpAddress(t, member), []byte(c.said))
			quiet(t, member, Abandoned, log)
		})
	}
	for _, c := range []struct{ name, said string }{
		{"one byte", "x"},
		{"a wrong end of the greeting", greeting[:len(greeting)-1] + "x"},
		{"no TLS behind the greeting", greeting + "GET / HTTP/1.1\r\n\r\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			log := newLogbook()
			member := start(t, logging(log))
			talk(tcpAddress(t, member), []byte(c.said))
			refused(t, member, NotFilch, log)
		})
	}
}

// A dial over QUIC that is given up says nothing any more. Where a member is, that is what
// it will have been; anywhere else it is a stranger who says nothing.
func TestSilenceOfQUICWhereAMemberIs(t *testing.T) {
	for _, from := range []string{"127.0.0.1", "127.0.0.5"} {
		t.Run("from "+from, func(t *testing.T) {
			t.Parallel()
			log := newLogbook()
			member := start(t, loud(log))
			connect(t, start(t), only("tcp", info(member))) // from 127.0.0.1
			pc, err := net.ListenPacket("udp", from+":0")
			if err != nil {
				t.Fatal(err)
			}
			dialler := &quic.Transport{Conn: &deaf{PacketConn: pc, closed: make(chan struct{})}}
			ctx, giveUp := context.WithCancel(context.Background())
			var wg sync.WaitGroup
			wg.Go(func() {
				dialler.Dial(ctx, udpAddress(t, member), &tls.Config{InsecureSkipVerify: true, NextProtos: []string{alpn}}, nil)
			})
			line := log.wait(t, "reason="+string(Silent))
			giveUp()
			wg.Wait()
			dialler.Conn.Close()
			dialler.Close()
			if from == "127.0.0.1" {
				quiet(t, member, Silent, log)
			} else if !strings.Contains(line, "level=WARN") {
				t.Errorf("logged %s", line)
			}
		})
	}
}

// TestRoundTripOfAConnection: it is known to who dialled, and over QUIC to both.
func TestRoundTripOfAConnection(t *testing.T) {
	for _, transport := range []string{"quic-v1", "tcp"} {
		a, b := start(t), start(t)
		if a.RTT(b.ID()) != 0 {
			t.Error("known without a connection")
		}
		connect(t, a, only(transport, info(b)))
		if rtt := a.RTT(b.ID()); rtt <= 0 || rtt > patience {
			t.Errorf("%s: the dialler knows %v", transport, rtt)
		}
		if rtt := b.RTT(a.ID()); transport != "tcp" && (rtt <= 0 || rtt > patience) {
			t.Errorf("%s: the other side knows %v", transport, rtt)
		}
	}
}
