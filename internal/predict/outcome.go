package predict

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/lowport/lowport/internal/errnos"
	"github.com/lowport/lowport/privport"
)

// An Outcome is how the bind of a recorded machine went: the line
//
//	bind [udp/]PORT|ADDRESS:PORT ERRNO [raised] [call=CALL] [mptcp=off] [control=set] [capset=ERRNO] [foreign]
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
	Call      string // the system call that was refused, "" for bind
	OnlyTCP   bool   // MPTCP was not tried first
	Foreign   bool   // the program neither raises capabilities nor takes sockets that are passed to it
	Control   bool   // the program set the socket up itself
	Capset    string // the errno with which the capability could not be raised, "" where it was, or was not tried
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
	}
	line := fmt.Sprintf("bind %s %s", where, o.Errno)
	if o.Via == privport.Raised {
		line += " raised"
	}
	if o.Call != "" {
		line += " call=" + o.Call
	}
	if o.OnlyTCP {
		line += " mptcp=off"
	}
	if o.Foreign {
		line += " foreign"
	}
	if o.Control {
		line += " control=set"
	}
	if o.Capset != "" {
		line += " capset=" + o.Capset
	}
	return line + "\n"
}

// ParseOutcome reads the line that String writes.
func ParseOutcome(line string) (Outcome, error) {
	bad := fmt.Errorf("recording: %q does not say how a bind went", line)
	words := strings.Fields(line)
	if len(words) < 3 || words[0] != "bind" {
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
	for _, word := range words[3:] {
		switch key, value, _ := strings.Cut(word, "="); key {
		case "call":
			o.Call = value
		case "mptcp":
			o.OnlyTCP = value == "off"
		case "foreign":
			o.Foreign = true
		case "control":
			o.Control = value == "set"
		case "capset":
			o.Capset = value
		default:
			o.Via = privport.Via(word)
		}
	}
	if o.Errno = words[2]; o.Errno == "ok" {
		o.Errno = ""
	}
	switch o.Via {
	case privport.Plain, privport.Raised, privport.Inherited, privport.Authbind:
	default:
		return Outcome{}, bad
	}
	calls := []string{"", "socket", "setsockopt", "listen", "control", "option"}
	if !errnos.Known(o.Errno) || !errnos.Known(o.Capset) || !slices.Contains(calls, o.Call) {
		return Outcome{}, bad
	}
	return o, nil
}
