package live

import (
	"encoding/binary"
	"errors"
	"fmt"
	"unsafe"

	"golang.org/x/sys/unix"
)

// netlink sends the kernel a request for a list, and calls answer with each part of the answer
// (netlink(7)). It does not bind the socket, which a filter may refuse: sendto(2) does that
// by itself.
func netlink(protocol int, request []byte, answer func(kind uint16, body []byte) error) error {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, protocol)
	if err != nil {
		return fmt.Errorf("netlink: %w", err)
	}
	defer unix.Close(fd)
	header := (*unix.NlMsghdr)(unsafe.Pointer(&request[0]))
	header.Len, header.Flags = uint32(len(request)), unix.NLM_F_REQUEST|unix.NLM_F_DUMP
	if err := unix.Sendto(fd, request, 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return fmt.Errorf("netlink: %w", err)
	}
	buf := make([]byte, 1<<15) // no part of a list is longer (netlink_recvmsg)
	for {
		n, _, err := unix.Recvfrom(fd, buf, 0)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil {
			return fmt.Errorf("netlink: %w", err)
		}
		for msg := buf[:n]; len(msg) > 0; {
			if len(msg) < unix.SizeofNlMsghdr {
				return errCutShort
			}
			h := (*unix.NlMsghdr)(unsafe.Pointer(&msg[0]))
			if h.Len < unix.SizeofNlMsghdr || int(h.Len) > len(msg) {
				return errCutShort
			}
			body := msg[unix.SizeofNlMsghdr:h.Len]
			msg = msg[min(len(msg), int(h.Len+3)&^3):]
			switch h.Type {
			case unix.NLMSG_DONE:
				return nil
			case unix.NLMSG_ERROR:
				if len(body) < 4 {
					return errCutShort
				}
				return fmt.Errorf("netlink: %w", unix.Errno(-int32(binary.NativeEndian.Uint32(body))))
			}
			if err := answer(h.Type, body); err != nil {
				return err
			}
		}
	}
}

var errCutShort = errors.New("netlink: an answer was cut short")

// attributes calls each with every attribute at the end of an answer.
func attributes(b []byte, each func(kind uint16, value []byte)) error {
	for len(b) >= unix.SizeofNlAttr {
		a := (*unix.NlAttr)(unsafe.Pointer(&b[0]))
		if int(a.Len) < unix.SizeofNlAttr || int(a.Len) > len(b) {
			return errCutShort
		}
		each(a.Type, b[unix.SizeofNlAttr:a.Len])
		b = b[min(len(b), int(a.Len+3)&^3):]
	}
	return nil
}
