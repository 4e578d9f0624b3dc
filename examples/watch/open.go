package main

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
	"github.com/cilium/ebpf/btf"
	"github.com/cilium/ebpf/link"
	"github.com/cilium/ebpf/ringbuf"
	"github.com/cilium/ebpf/rlimit"
	"golang.org/x/sys/unix"

	"github.com/lowport/lowport/caps"
	"github.com/lowport/lowport/internal/facts"
	"github.com/lowport/lowport/internal/term"
)

// room is how many bytes of events may wait to be read. An event has about 16 kB.
const room = 8 << 20

// threads is of how many threads with filters it is noted that their last call got past these.
const threads = 16384

// settle is how long a call may last of which the entry was not seen yet, and the exit is.
const settle = 20 * time.Millisecond

// A watch hears refusals.
type watch struct {
	reader reader
	events *ringbuf.Reader
	lost   *ebpf.Map    // one number: the events for which there was no room
	missed *ebpf.Memory // what it holds
	links  []link.Link  // to the entry and the exit of system calls
	close  []func() error
}

// A missingError says what this machine, or this process, lacks.
type missingError struct{ what string }

func (e *missingError) Error() string { return e.what }

// open loads the program into the kernel and attaches it.
func open(s settings) (*watch, error) {
	if err := able(); err != nil {
		return nil, err
	}
	spec, err := btf.LoadKernelSpec()
	if err != nil {
		return nil, &missingError{"this kernel does not describe its types: " + term.Show(err.Error())}
	}
	w := &watch{}
	if err := w.load(spec, s.cgroup); err != nil {
		w.stop()
		return nil, why(err)
	}
	return w, nil
}

// load makes the maps, assembles the program and attaches it.
func (w *watch) load(spec *btf.Spec, folder string) error {
	if err := rlimit.RemoveMemlock(); err != nil { // before Linux 5.11 maps count as locked memory
		return err
	}
	ring, err := ebpf.NewMap(&ebpf.MapSpec{Name: "refusals", Type: ebpf.RingBuf, MaxEntries: room})
	if err != nil {
		return err
	}
	w.close = append(w.close, ring.Close)
	w.lost, err = ebpf.NewMap(&ebpf.MapSpec{Name: "lost", Type: ebpf.Array, KeySize: 4, ValueSize: 8, MaxEntries: 1, Flags: unix.BPF_F_MMAPABLE})
	if err != nil {
		return err
	}
	w.close = append(w.close, w.lost.Close)
	if w.missed, err = w.lost.Memory(); err != nil { // which takes no capability to read later
		return err
	}
	only, err := cgroupMap(folder)
	if err != nil {
		return err
	}
	if only != nil {
		w.close = append(w.close, only.Close)
	}
	passed, err := ebpf.NewMap(&ebpf.MapSpec{Name: "passed", Type: ebpf.LRUHash, KeySize: 8, ValueSize: passedSize, MaxEntries: threads})
	if err != nil {
		return err
	}
	w.close = append(w.close, passed.Close)
	before, errBefore := enter(spec, passed)
	p, err := assemble(spec, ring, w.lost, passed, only)
	if err := errors.Join(errBefore, err); err != nil {
		return &missingError{"this kernel's types are not those that are known: " + term.Show(err.Error())}
	}
	if err := w.attach("sys_enter", before.insns); err != nil {
		return err
	}
	time.Sleep(settle)
	if err := w.attach("sys_exit", p.insns); err != nil {
		return err
	}
	if w.events, err = ringbuf.NewReader(ring); err != nil {
		return err
	}
	w.close = append(w.close, w.events.Close)
	var pidNS unix.Stat_t
	if err := unix.Stat("/proc/self/ns/pid", &pidNS); err != nil {
		return err
	}
	w.reader = reader{shape: p.shape, pidNS: pidNS.Ino, root: cgroupRoot()}
	return nil
}

// attach loads a program and attaches it to a tracepoint.
func (w *watch) attach(to string, insns asm.Instructions) error {
	program, err := ebpf.NewProgram(&ebpf.ProgramSpec{Name: to, Type: ebpf.RawTracepoint, Instructions: insns, License: "Dual BSD/GPL"})
	if err != nil {
		return err
	}
	defer program.Close() // the link holds it
	attached, err := link.AttachRawTracepoint(link.RawTracepointOptions{Name: to, Program: program})
	if err == nil {
		w.links, w.close = append(w.links, attached), append(w.close, attached.Close)
	}
	return err
}

// stop ends run, and lets go of all that is open.
func (w *watch) stop() {
	for i := len(w.close) - 1; i >= 0; i-- {
		w.close[i]()
	}
}

// cgroupMap returns the map by which the program knows the cgroup, nil for none.
func cgroupMap(folder string) (*ebpf.Map, error) {
	if folder == "" {
		return nil, nil
	}
	dir, err := os.Open(folder)
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	m, err := ebpf.NewMap(&ebpf.MapSpec{Name: "only", Type: ebpf.CGroupArray, KeySize: 4, ValueSize: 4, MaxEntries: 1})
	if err != nil {
		return nil, err
	}
	if err := m.Put(uint32(0), uint32(dir.Fd())); err != nil {
		m.Close()
		return nil, fmt.Errorf("%s is no cgroup of version 2", term.Show(folder))
	}
	return m, nil
}

// able reports what this process lacks.
func able() error {
	users, err := os.Readlink("/proc/self/ns/user")
	if err != nil {
		return err
	}
	if users != facts.InitialUserNS {
		return &missingError{"this is not the initial user namespace, which alone may watch the kernel"}
	}
	have, err := caps.Self()
	if err != nil {
		return err
	}
	if have.Effective.Has(caps.SYS_ADMIN) {
		return nil
	}
	if lacks := caps.SetOf(caps.BPF, caps.PERFMON) &^ have.Effective; lacks != 0 {
		return &missingError{fmt.Sprintf("to watch the kernel takes cap_bpf and cap_perfmon; not effective: %s", lacks)}
	}
	return nil
}

// lockdown says how far the kernel keeps even root out of itself.
const lockdown = "/sys/kernel/security/lockdown"

// why says what is missing where the kernel refused, as far as that can be told.
func why(err error) error {
	var verifier *ebpf.VerifierError
	mode, _ := os.ReadFile(lockdown)
	switch {
	case strings.Contains(string(mode), "[confidentiality]"):
		return &missingError{"the kernel is locked down: " + lockdown + " says confidentiality"}
	case errors.As(err, &verifier):
		return &missingError{"this kernel does not take the program: " + term.Show(verifier.Error())}
	case errors.Is(err, unix.EPERM) || errors.Is(err, unix.EACCES):
		return &missingError{"the kernel refused, though the capabilities are there: " + term.Show(err.Error()) + "; a filter or a security module may be in the way"}
	case errors.Is(err, ebpf.ErrNotSupported):
		return &missingError{"this kernel is too old: " + term.Show(err.Error())}
	}
	return err
}
