package predict

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"github.com/lowport/lowport/internal/errnos"
	"github.com/lowport/lowport/privport"
)

// An Outcome is how the bind of a recorded machine went: the line
//
//	bind [udp/]PORT|ADDRESS:PORT ERRNO [raised]
//	bind [udp/]PORT|ADDRESS:PORT ok VIA
//
// above its record.
type Outcome struct {
	UDP       bool
	Addr      netip.Addr // not valid: every address
	Port      int
	Errno     string // "" where it was allowed
	Unstarted bool   // the program itself was not executed: never of a recording
	Via       privport.Via
}

func (o Outcome) String() string {
	where := strconv.Itoa(o.Port)
	if o.Addr.IsValid() {
		where = netip.AddrPortFrom(o.Addr, uint16(o.Port)).String()
	}
	if o.UDP {
		where = "udp/" + where
	}
	switch {
	case o.Errno == "":
		return fmt.Sprintf("bind %s ok %s\n", where, o.Via)
	case o.Via == privport.Raised:
		return fmt.Sprintf("bind %s %s raised\n", where, o.Errno)
	default:
		return fmt.Sprintf("bind %s %s\n", where, o.Errno)
	}
}

// ParseOutcome reads the line that String writes.
func ParseOutcome(line string) (Outcome, error) {
	bad := fmt.Errorf("recording: %q does not say how a bind went", line)
	words := strings.Fields(line)
	if len(words) < 3 || len(words) > 4 || words[0] != "bind" {
		return Outcome{}, bad
	}
	o := Outcome{Via: privport.Plain}
	words[1], o.UDP = strings.CutPrefix(words[1], "udp/")
	port, err := strconv.ParseUint(words[1], 10, 16)
	o.Port = int(port)
	if err != nil {
		where, err := netip.ParseAddrPort(words[1])
		if err != nil {
			return Outcome{}, bad
		}
		o.Addr, o.Port = where.Addr(), int(where.Port())
	}
	if len(words) == 4 {
		o.Via = privport.Via(words[3])
	}
	if o.Errno = words[2]; o.Errno == "ok" {
		o.Errno = ""
	}
	switch o.Via {
	case privport.Plain, privport.Raised, privport.Inherited, privport.Authbind:
	default:
		return Outcome{}, bad
	}
	if !errnos.Known(o.Errno) {
		return Outcome{}, bad
	}
	return o, nil
}
