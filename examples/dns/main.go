// DNS is a name server that answers on port 53 over UDP and TCP without root
// and afterwards holds no privilege at all:
//
//	dns [-addr :53] NAME=ADDRESS…
//
// It answers for the names in its arguments and no others.
package main

import (
	"context"
	"errors"
	"flag"
	"log"
	"net/netip"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/miekg/dns"

	"github.com/lowport/lowport/caps/drop"
	"github.com/lowport/lowport/guard"
)

func main() {
	addr := flag.String("addr", ":53", "`address` to answer on, over UDP and TCP")
	flag.Parse()
	names, err := parse(flag.Args())
	if err != nil {
		log.Fatal(err)
	}

	// Both or none.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	s := guard.MustBindAll(ctx, []string{"udp/" + *addr, "tcp/" + *addr})
	if err := drop.All(); err != nil && !errors.Is(err, errors.ErrUnsupported) {
		log.Fatal(err)
	}

	log.Printf("answering on %s, holding no capability", s.Listeners[0].Addr())
	failed := make(chan error)
	for _, server := range []*dns.Server{
		{PacketConn: s.PacketConns[0], Handler: names},
		{Listener: s.Listeners[0], Handler: names},
	} {
		go func() { failed <- server.ActivateAndServe() }()
	}
	select {
	case <-ctx.Done():
	case err := <-failed:
		log.Fatal(err)
	}
}

// zone has the addresses of each name, which is in lower case and ends in a dot.
type zone map[string][]netip.Addr

func parse(args []string) (zone, error) {
	z := zone{}
	for _, arg := range args {
		name, address, _ := strings.Cut(arg, "=")
		ip, err := netip.ParseAddr(address)
		if err != nil {
			return nil, err
		}
		name = strings.ToLower(dns.Fqdn(name))
		z[name] = append(z[name], ip.Unmap())
	}
	return z, nil
}

// ServeDNS answers what it knows.
func (z zone) ServeDNS(w dns.ResponseWriter, r *dns.Msg) {
	m := new(dns.Msg).SetReply(r)
	m.Authoritative = true
	if r.Opcode != dns.OpcodeQuery {
		m.SetRcode(r, dns.RcodeNotImplemented)
	} else if len(r.Question) != 1 || r.Question[0].Qclass != dns.ClassINET {
		m.SetRcode(r, dns.RcodeRefused)
	} else if ips, ok := z[strings.ToLower(r.Question[0].Name)]; !ok {
		m.SetRcode(r, dns.RcodeNameError)
	} else {
		m.Answer = answer(r.Question[0], ips)
	}
	fit(m, r, w.RemoteAddr().Network() == "udp")
	if err := w.WriteMsg(m); err != nil {
		log.Print(err)
	}
}

// most is what goes over UDP in one piece nearly everywhere (DNS flag day 2020).
const most = 1232

// fit cuts an answer over UDP to what the client takes, which then asks over TCP;
// and says what this server takes, where the client has said it (RFC 6891).
func fit(m, r *dns.Msg, udp bool) {
	size := dns.MinMsgSize
	if opt := r.IsEdns0(); opt != nil {
		size = min(max(size, int(opt.UDPSize())), most)
		m.SetEdns0(most, false)
	}
	if !udp {
		size = dns.MaxMsgSize
	}
	m.Truncate(size)
}

// answer has the addresses of the family that is asked for.
func answer(q dns.Question, ips []netip.Addr) []dns.RR {
	var all []dns.RR
	h := dns.RR_Header{Name: q.Name, Rrtype: q.Qtype, Class: dns.ClassINET, Ttl: 60}
	for _, ip := range ips {
		switch {
		case q.Qtype == dns.TypeA && ip.Is4():
			all = append(all, &dns.A{Hdr: h, A: ip.AsSlice()})
		case q.Qtype == dns.TypeAAAA && ip.Is6():
			all = append(all, &dns.AAAA{Hdr: h, AAAA: ip.AsSlice()})
		}
	}
	return all
}
