package privport

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/lowport/lowport/caps"
)

// authbind makes a socket as package net does, for the address that refused was
// about, and has authbind's helper bind it.
func (c Config) authbind(ctx context.Context, network string, refused error) (*os.File, error) {
	var op *net.OpError
	if !errors.As(refused, &op) || op.Addr == nil {
		return nil, refused
	}
	fail := func(why string) (*os.File, error) {
		e := *op
		e.Err = &AuthbindError{Err: op.Err, Why: why}
		return nil, &e
	}
	if _, err := os.Stat(authbindHelper); err != nil {
		return fail("it is not installed: " + err.Error())
	}
	f, to, err := c.unbound(network, op.Addr)
	if err != nil {
		return nil, &net.OpError{Op: "listen", Net: network, Addr: op.Addr, Err: err}
	}
	errno, said, err := help(ctx, f, to)
	switch {
	case ctx.Err() != nil: // it was not asked, or killed before it answered
		f.Close()
		return nil, &net.OpError{Op: "listen", Net: network, Addr: op.Addr, Err: ctx.Err()}
	case err != nil:
		f.Close()
		return fail(err.Error())
	case errno != 0:
		f.Close()
		self, _ := caps.Self()
		why := whyNot(to, os.Getuid(), errno, func(path string) error { return unix.Access(path, unix.X_OK) }, self.NoNewPrivs)
		if said != "" {
			why += " (" + said + ")"
		}
		return fail(why)
	}
	if network[:3] == "tcp" {
		err = unix.Listen(int(f.Fd()), 1<<16-1) // the kernel takes net.core.somaxconn at most
	}
	if err != nil {
		f.Close()
		return nil, &net.OpError{Op: "listen", Net: network, Addr: op.Addr, Err: os.NewSyscallError("listen", err)}
	}
	return f, nil
}

// unbound makes a socket with the options that package net sets, and says what
// to bind it to.
func (c Config) unbound(network string, addr net.Addr) (*os.File, netip.AddrPort, error) {
	a := netip.AddrPort{}
	var ip net.IP
	var port int
	switch addr := addr.(type) {
	case *net.TCPAddr:
		ip, port = addr.IP, addr.Port
		a = addr.AddrPort()
	case *net.UDPAddr:
		ip, port = addr.IP, addr.Port
		a = addr.AddrPort()
	default:
		return nil, a, fmt.Errorf("%T: %w", addr, errors.ErrUnsupported)
	}
	every := len(ip) == 0 || ip.IsUnspecified()
	kind := unix.SOCK_STREAM
	if network[:3] == "udp" {
		kind = unix.SOCK_DGRAM
	}
	family := unix.AF_INET6
	if strings.HasSuffix(network, "4") || !every && a.Addr().Unmap().Is4() {
		family = unix.AF_INET
	}
	open := func() (int, error) { return unix.Socket(family, kind|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0) }
	fd, err := open()
	if errors.Is(err, unix.EAFNOSUPPORT) && every && network == network[:3] {
		family = unix.AF_INET
		fd, err = open()
	}
	if err != nil {
		return nil, a, os.NewSyscallError("socket", err)
	}
	f := os.NewFile(uintptr(fd), "socket")
	set := func(level, name, value int) {
		if err == nil {
			err = os.NewSyscallError("setsockopt", unix.SetsockoptInt(fd, level, name, value))
		}
	}
	to := a.Addr().Unmap()
	if family == unix.AF_INET6 {
		only := 0
		if strings.HasSuffix(network, "6") {
			only = 1
		}
		set(unix.IPPROTO_IPV6, unix.IPV6_V6ONLY, only)
		if every {
			to = netip.IPv6Unspecified()
		}
	} else if every {
		to = netip.IPv4Unspecified()
	}
	if kind == unix.SOCK_STREAM {
		set(unix.SOL_SOCKET, unix.SO_REUSEADDR, 1)
	} else {
		set(unix.SOL_SOCKET, unix.SO_BROADCAST, 1)
	}
	full := network[:3] + map[int]string{unix.AF_INET: "4", unix.AF_INET6: "6"}[family]
	a = netip.AddrPortFrom(to, uint16(port))
	if err == nil && to.Zone() != "" {
		err = errors.New("authbind knows no zones")
	}
	if err == nil && c.Control != nil {
		var raw syscall.RawConn
		if raw, err = f.SyscallConn(); err == nil {
			err = c.Control(full, a.String(), raw)
		}
	}
	if err != nil {
		f.Close()
		return nil, a, err
	}
	return f, a, nil
}

// help runs the helper on a socket. Its exit status is an errno; 255 and a
// signal are failures of its own. Package os/exec would make every program that
// imports this one larger, by 25 kB.
func help(ctx context.Context, socket *os.File, to netip.AddrPort) (errno syscall.Errno, said string, err error) {
	if err := ctx.Err(); err != nil {
		return 0, "", err
	}
	out, in, err := os.Pipe()
	if err != nil {
		return 0, "", err
	}
	defer out.Close()
	argv := append([]string{authbindHelper}, helperArgs(to)...)
	helper, err := os.StartProcess(authbindHelper, argv, &os.ProcAttr{Dir: "/", Env: []string{}, Files: []*os.File{socket, in, in}})
	in.Close()
	if err != nil {
		return 0, "", err
	}
	stop := context.AfterFunc(ctx, func() { helper.Kill() })
	defer stop()
	text, errRead := io.ReadAll(out)
	state, err := helper.Wait()
	if err = cmp.Or(err, errRead); err != nil {
		return 0, "", err
	}
	said = strings.TrimSpace(string(text))
	if state.Exited() && state.ExitCode() < 255 {
		return syscall.Errno(state.ExitCode()), said, nil
	}
	err = errors.New(state.String())
	if said != "" {
		err = fmt.Errorf("%w: %s", err, said)
	}
	return 0, said, err
}
