package privport

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"path"
	"strings"
	"syscall"
)

// Authbind means by authbind(1): its setuid helper binds the socket that it gets
// as its standard input, if the files in /etc/authbind allow it.
const Authbind Via = "authbind"

const (
	authbindHelper = "/usr/lib/authbind/helper"
	authbindRules  = "/etc/authbind"
)

// An AuthbindError is a bind that the kernel refused and authbind then refused
// too.
type AuthbindError struct {
	Err error  // the kernel's
	Why string // what stands in the way: a file of /etc/authbind and its permission, or the helper
}

// Error returns both.
func (e *AuthbindError) Error() string { return e.Err.Error() + "; authbind: " + e.Why }

// Unwrap returns the kernel's error.
func (e *AuthbindError) Unwrap() error { return e.Err }

// helperArgs are the arguments of authbind-helper(8): the address and the port
// as sprintf prints the numbers of a sockaddr, which are in network byte order;
// an IPv6 address byte by byte.
func helperArgs(a netip.AddrPort) []string {
	port := make([]byte, 2)
	binary.BigEndian.PutUint16(port, a.Port())
	portHex := fmt.Sprintf("%04x", binary.NativeEndian.Uint16(port))
	if ip := a.Addr(); ip.Is4() {
		b := ip.As4()
		return []string{fmt.Sprintf("%08x", binary.NativeEndian.Uint32(b[:])), portHex}
	}
	b := a.Addr().As16()
	return []string{fmt.Sprintf("%x", b), portHex, "6"}
}

// ruleFiles are the files of authbind(1) that can allow a bind, in the order in
// which they are looked at, and last the one that has lines for the user.
func ruleFiles(a netip.AddrPort, uid int) (files []string, byUID string) {
	mark := "" // ports from 512 on impersonate more than a server
	if a.Port() >= 512 && a.Port() < 1024 {
		mark = "!"
	}
	add := func(format string, args ...any) {
		files = append(files, path.Join(authbindRules, fmt.Sprintf(format, args...)))
	}
	add("byport/%s%d", mark, a.Port())
	ip := a.Addr()
	add("byaddr/%s%s,%d", mark, ip, a.Port())
	if ip.Is4() {
		add("byaddr/%s%s:%d", mark, ip, a.Port())
	} else {
		b := ip.As16()
		var groups []string
		for i := 0; i < len(b); i += 2 {
			groups = append(groups, fmt.Sprintf("%x", binary.BigEndian.Uint16(b[i:])))
		}
		add("byaddr/%s%s,%d", mark, strings.Join(groups, ":"), a.Port())
	}
	return files, path.Join(authbindRules, fmt.Sprintf("byuid/%s%d", mark, uid))
}

// whyNot says which file of authbind's stands in the way of a bind that its
// helper refused with errno: access(2) decides, and a file that is not there
// leaves it to the next.
func whyNot(a netip.AddrPort, uid int, errno syscall.Errno, access func(string) error, noNewPrivs bool) string {
	files, byUID := ruleFiles(a, uid)
	for _, file := range files {
		switch err := access(file); err {
		case syscall.ENOENT:
		case nil:
			if noNewPrivs {
				return file + " allows it, and under no_new_privs the helper's setuid bit does not count"
			}
			return fmt.Sprintf("%s allows it, and the helper's own bind failed: %v", file, errno)
		default:
			return fmt.Sprintf("%s is not executable for uid %d: %v", file, uid, err)
		}
	}
	if errno == syscall.ENOENT {
		return fmt.Sprintf("no line of %s allows it, and there is no %s", byUID, files[0])
	}
	return fmt.Sprintf("there is no %s, nor another file that allows it to uid %d: %s", files[0], uid,
		strings.Join(append(files[1:], byUID), ", "))
}
