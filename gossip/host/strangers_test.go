package host

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/quic-go/quic-go"
)

func tcpAddress(t testing.TB, h *Host) string {
	t.Helper()
	return hostPort(t, only("tcp", info(h)).Addrs[0])
}

func udpAddress(t testing.TB, h *Host) *net.UDPAddr {
	t.Helper()
	return net.UDPAddrFromAddrPort(netip.MustParseAddrPort(hostPort(t, only("quic", info(h)).Addrs[0])))
}

// dialFrom makes a TCP connection from an address of this machine.
func dialFrom(t testing.TB, from, to string) net.Conn {
	t.Helper()
	d := net.Dialer{LocalAddr: net.TCPAddrFromAddrPort(netip.AddrPortFrom(netip.MustParseAddr(from), 0)), Timeout: patience}
	c, err := d.Dial("tcp", to)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	c.(*net.TCPConn).SetLinger(0) // thousands of them would stay in TIME-WAIT
	return c
}

func TestAnotherProtocolOnTheTCPPort(t *testing.T) {
	random := make([]byte, 1<<16)
	rand.NewChaCha8(seed(1)).Read(random)
	for _, c := range []struct {
		name string
		say  func(to string) error
	}{
		// Not by a client of net/http, which closes at our greeting; with that the kernel may drop
		// what it had said, and there is nothing to judge.
		{"HTTP", func(to string) error { return talk(to, []byte("GET / HTTP/1.1\r\nHost: "+to+"\r\n\r\n")) }},
		{"TLS", func(to string) error {
			_, err := tls.Dial("tcp", to, &tls.Config{InsecureSkipVerify: true})
			return err
		}},
		{"TLS with our ALPN", func(to string) error {
			_, err := tls.Dial("tcp", to, &tls.Config{InsecureSkipVerify: true, NextProtos: []string{alpn}})
			return err
		}},
		{"libp2p's own TLS", func(to string) error { return talk(to, []byte("\x13/multistream/1.0.0\n\x0b/tls/1.0.0\n")) }},
		{"our name, then garbage", func(to string) error {
			return talk(to, append([]byte("\x13/multistream/1.0.0\n\x0d/filch/tls/1\n"), random...))
		}},
		{"garbage", func(to string) error { return talk(to, random) }},
		{"1 GB of one line", func(to string) error { return talk(to, append([]byte{0xff, 0xff, 0xff, 0xff, 0x03}, random...)) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			log := newLogbook()
			member := start(t, logging(log))
			if err := c.say(tcpAddress(t, member)); err == nil {
				t.Error("it was answered")
			}
			refused(t, member, NotFilch, log)
			joiner := start(t)
			connect(t, joiner, only("tcp", info(member)))
		})
	}
}

var errEnd = errors.New("the other side ended it")

// talk says something and waits for the other side to end the connection.
func talk(to string, text []byte) error {
	c, err := net.Dial("tcp", to)
	if err != nil {
		return err
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(patience))
	c.Write(text)
	c.(*net.TCPConn).CloseWrite()
	answer, err := io.ReadAll(c)
	if err == nil || !errors.Is(err, os.ErrDeadlineExceeded) {
		if bytes.Contains(answer, []byte("filch/hello")) {
			return nil
		}
		return errEnd
	}
	return err
}

func TestAnotherProtocolOnTheUDPPort(t *testing.T) {
	log := newLogbook()
	member := start(t, logging(log))
	for _, protocols := range [][]string{{"h3"}, {"libp2p"}, {alpn}} {
		c, err := quic.DialAddr(within(t, patience), udpAddress(t, member).String(), &tls.Config{InsecureSkipVerify: true, NextProtos: protocols}, nil)
		if err == nil { // in TLS 1.3 the client is through before its certificate was looked at
			<-c.Context().Done()
			err = context.Cause(c.Context())
		}
		var alert *quic.TransportError
		if !errors.As(err, &alert) || !alert.Remote || !alert.ErrorCode.IsCryptoError() {
			t.Errorf("%v: %v", protocols, err)
		}
	}
	refused(t, member, NotFilch, log)
}

// Random bytes on the UDP port do nothing: members go on, and nothing is handed
// to those who handle packets that has not a kind of theirs.
func TestRandomDatagrams(t *testing.T) {
	a, b := start(t), start(t)
	sink := listenPackets(b, 5)
	a.Learn(b.ID(), b.Addrs())
	b.Learn(a.ID(), a.Addrs())
	c, err := net.DialUDP("udp", nil, udpAddress(t, b))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	rng := rand.New(rand.NewPCG(1, 2))
	buf := make([]byte, 2000)
	for range 20_000 {
		n := rng.IntN(len(buf))
		for i := range buf[:n] {
			buf[i] = byte(rng.Uint32())
		}
		if n > 0 && buf[0] == 5 {
			buf[0] = 6
		}
		c.Write(buf[:n])
	}
	sendUntil(t, a, b.ID(), 5, "still there", sink)
	serveEcho(b)
	connect(t, a, info(b))
	says(t, a, b.ID(), "here as well")
	for len(sink) > 0 {
		if p := <-sink; p.text != "still there" {
			t.Errorf("a stranger's packet was handed on: %q", p.text)
		}
	}
	if s := b.Stats(); s.Dropped.Limited == 0 {
		t.Errorf("nothing was dropped: %+v", s.Dropped)
	}
}

// sendUntil sends a packet again and again, as gossip does, until one arrives.
func sendUntil(t testing.TB, from *Host, to peer.ID, kind byte, text string, sink packetSink) Source {
	t.Helper()
	ctx := within(t, patience)
	for {
		from.SendPacket(to, kind, []byte(text))
		again := time.NewTimer(20 * time.Millisecond)
		select {
		case p := <-sink:
			again.Stop()
			if p.text == text {
				return p.from
			}
		case <-again.C:
		case <-ctx.Done():
			t.Fatalf("%q does not arrive", text)
		}
	}
}

// heldMemory returns what the process holds on heap and stacks, in bytes.
func heldMemory() uint64 {
	debug.FreeOSMemory()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapInuse + m.StackInuse
}

// Connections that say nothing do not keep members out, neither from another
// address nor from the very address that they come from, and they cost a bounded
// amount of memory.
func TestTenThousandSilentConnections(t *testing.T) {
	for _, from := range []string{"127.0.0.2", "127.0.0.1"} {
		t.Run("from "+from, func(t *testing.T) {
			log := newLogbook()
			member := start(t, logging(log))
			before := heldMemory()
			to := tcpAddress(t, member)
			most, slowest := 0, time.Duration(0)
			for i := range 10_000 {
				dialFrom(t, from, to)
				most = max(most, member.Stats().Pending)
				if i%2000 == 1999 {
					begun := time.Now()
					joiner := start(t)
					connect(t, joiner, only("tcp", info(member)))
					slowest = max(slowest, time.Since(begun))
				}
			}
			grown := float64(int64(heldMemory())-int64(before)) / (1 << 20)
			t.Logf("at most %d pending; the slowest joiner took %v; %.1f MB more, the 10,000 clients and 5 joiners included", most, slowest.Round(time.Millisecond), grown)
			// Twice: the address of a joiner has room as a member's, besides that as a stranger's.
			if most > 2*maxKnocksPerAddress {
				t.Errorf("%d connections were pending, more than %d", most, 2*maxKnocksPerAddress)
			}
			if grown > 64 {
				t.Errorf("%.1f MB more", grown)
			}
			log.wait(t, "reason=crowded")
			if lines := log.with("reason="); len(lines) > 3 {
				t.Errorf("%d lines in the log", len(lines))
			}
			if n := member.Stats().Refused[Crowded]; n < 9000 {
				t.Errorf("counted %d", n)
			}
		})
	}
}

// A silent connection is closed after acceptTimeout.
func TestSilentConnectionIsClosed(t *testing.T) {
	log := newLogbook()
	member := start(t, logging(log))
	c := dialFrom(t, "127.0.0.1", tcpAddress(t, member))
	c.SetReadDeadline(time.Now().Add(patience))
	begun := time.Now()
	if _, err := io.ReadAll(c); errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatal("the connection was not closed")
	}
	if d := time.Since(begun); d < acceptTimeout-time.Second {
		t.Errorf("closed after %v already", d)
	}
	refused(t, member, Silent, log)
}

// deaf is a socket that sends and hears nothing: what is dialled through it
// begins handshakes and never goes on.
type deaf struct {
	net.PacketConn
	closed chan struct{}
	once   sync.Once
}

func (d *deaf) ReadFrom([]byte) (int, net.Addr, error) {
	<-d.closed
	return 0, nil, net.ErrClosed
}

func (d *deaf) Close() error {
	d.once.Do(func() { close(d.closed) })
	return d.PacketConn.Close()
}

// Handshakes over QUIC that begin and never go on do not keep anybody out: who is
// known keeps QUIC, and who is not gets in over TCP at the latest.
func TestFloodOfQUICInitials(t *testing.T) {
	log := newLogbook()
	member := start(t, logging(log))
	before := heldMemory()
	pc, err := net.ListenPacket("udp", "127.0.0.3:0")
	if err != nil {
		t.Fatal(err)
	}
	attacker := &quic.Transport{Conn: &deaf{PacketConn: pc, closed: make(chan struct{})}}
	ctx, stop := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	var begun sync.WaitGroup
	const flood = 1000
	for range flood {
		begun.Add(1)
		wg.Go(func() {
			begun.Done()
			attacker.Dial(ctx, udpAddress(t, member), &tls.Config{InsecureSkipVerify: true, NextProtos: []string{alpn}}, nil)
		})
	}
	begun.Wait()
	most, slowest, quics := 0, time.Duration(0), 0
	for range 20 {
		since := time.Now()
		joiner := start(t)
		connect(t, joiner, info(member))
		slowest = max(slowest, time.Since(since))
		most = max(most, member.Stats().Pending)
		if quicAddress.Matches(joiner.swarm.ConnsToPeer(member.ID())[0].RemoteMultiaddr()) {
			quics++
		}
	}
	held := float64(int64(heldMemory())-int64(before)) / (1 << 20)
	stop()
	wg.Wait()
	attacker.Conn.Close()
	attacker.Close()
	t.Logf("%d handshakes begun, at most %d pending; the slowest of 20 joiners took %v, %d came over QUIC; %.1f MB more, attacker and joiners included",
		flood, most, slowest.Round(time.Millisecond), quics, held)
	if most > 2*maxKnocksPerAddress {
		t.Errorf("%d handshakes were pending", most)
	}
}

// While strangers send 20,000 datagrams per second, members' packets arrive, and
// what is handed on of the strangers' is what the sieve grants them.
func TestFloodOfForeignDatagrams(t *testing.T) {
	a, b := start(t), start(t)
	a.Learn(b.ID(), b.Addrs())
	b.Learn(a.ID(), a.Addrs())
	sink := listenPackets(b, 1)
	var handed atomic.Int64
	b.HandlePackets(2, func(Source, []byte) { handed.Add(1) })
	ctx, stop := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	defer wg.Wait()
	defer stop()
	const sources = 2
	begun := time.Now()
	for i := range sources {
		src := net.UDPAddrFromAddrPort(netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 9, byte(i + 1)}), 0))
		c, err := net.DialUDP("udp", src, udpAddress(t, b))
		if err != nil {
			t.Fatal(err)
		}
		wg.Go(func() {
			defer c.Close()
			junk := append([]byte{2}, strings.Repeat("x", 200)...)
			beat := time.NewTicker(time.Millisecond)
			defer beat.Stop()
			for ctx.Err() == nil {
				<-beat.C
				for range 10 {
					c.Write(junk)
				}
			}
		})
	}
	const flood = 20_000 // to be dropped before this is over
	packets, arrived := 0, 0
	pace := time.NewTicker(5 * time.Millisecond) // less than the sieve grants a member
	defer pace.Stop()
	for ; b.Stats().Dropped.Limited < flood; packets++ {
		<-pace.C
		text := fmt.Sprint("packet ", packets)
		a.SendPacket(b.ID(), 1, []byte(text))
		lost := time.NewTimer(200 * time.Millisecond)
	wait:
		for {
			select {
			case p := <-sink:
				if p.text == text {
					arrived++
					break wait
				}
			case <-lost.C:
				break wait
			}
		}
		lost.Stop()
	}
	s := b.Stats()
	granted := int64(sources * (strangerBurst + strangerRate*(time.Since(begun).Seconds()+1)))
	t.Logf("%d of %d packets arrived within 200 ms each; %d foreign ones were dropped by the sieve, %d handed on", arrived, packets, s.Dropped.Limited, handed.Load())
	if arrived < packets*9/10 {
		t.Errorf("%d of %d packets arrived", arrived, packets)
	}
	if n := handed.Load(); n > granted || s.Dropped.Limited == 0 {
		t.Errorf("%d foreign datagrams were handed on, more than %d", n, granted)
	}
}
