package privport

import (
	"context"
	"errors"
	"net"
	"strconv"
	"strings"
	"unicode"
)

// A Target is an address to listen on, taken apart.
type Target struct {
	Network string // "tcp", "tcp4", "tcp6", "udp", "udp4" or "udp6"
	Host    string // "" for every address
	Port    int    // 0 to 65535; 0 for any free port
}

// Parse takes apart an address for [net.Listen] or [net.ListenPacket]: "host:port", where
// the port is a number or a name (":https"), or nothing, which is port 0 and asks for any
// free port as these do. The error is a *net.OpError around a *net.AddrError or
// *net.DNSError.
func Parse(ctx context.Context, network, address string) (Target, error) {
	t, err := parse(ctx, network, address)
	if err != nil {
		err = &net.OpError{Op: "listen", Net: network, Err: err}
	}
	return t, err
}

func parse(ctx context.Context, network, address string) (Target, error) {
	switch network {
	case "tcp", "tcp4", "tcp6", "udp", "udp4", "udp6":
	default:
		return Target{}, net.UnknownNetworkError(network)
	}
	if address == "" {
		return Target{Network: network}, nil
	}
	host, service, err := net.SplitHostPort(address)
	if err != nil {
		return Target{}, err
	}
	bad := func(why string) (Target, error) {
		return Target{}, &net.AddrError{Err: why, Addr: address}
	}
	if strings.ContainsFunc(host, func(c rune) bool {
		return c <= ' ' || c == '/' || c > '~' && (unicode.IsSpace(c) || !unicode.IsPrint(c))
	}) {
		return bad("host has a character that no name has")
	}
	if service == "" {
		return Target{Network: network, Host: host}, nil
	}
	port, err := strconv.Atoi(service)
	switch {
	case errors.Is(err, strconv.ErrRange), err == nil && (port < 0 || port > 65535):
		return bad("port is not between 0 and 65535")
	case err != nil:
		if port, err = net.DefaultResolver.LookupPort(ctx, network, service); err != nil {
			return Target{}, err
		}
	}
	return Target{Network: network, Host: host, Port: port}, nil
}

// String returns the address in the form of net.JoinHostPort.
func (t Target) String() string { return net.JoinHostPort(t.Host, strconv.Itoa(t.Port)) }
