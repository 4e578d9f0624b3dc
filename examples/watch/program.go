package main

import (
	"fmt"
	"runtime"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
	"github.com/cilium/ebpf/btf"
	"golang.org/x/sys/unix"
)

// The registers that calls leave alone (bpf-helpers(7)).
const (
	regContext = asm.R6 // of the tracepoint: the user's registers, and what the call returned
	regEvent   = asm.R7 // what is sent
	regFailed  = asm.R8 // the errors of all reads, or-ed
)

// Slots of the stack, by their offsets from the frame pointer.
const (
	slotPointer = -8 * (iota + 1) // a pointer that is followed
	slotTask
	slotRegs
	slotSock
	slotMount
	slotDentry
	slotParent
	slotRoot
	slotKey
)

// slotNoted is where a passed is put together, below the slots.
const slotNoted = slotKey - passedSize

// What an event begins with, by offsets. The fields come behind it, in their order, then the
// names of the executable's path.
const (
	atFailed   = 8 * iota // not 0: a read of a field failed
	atErrno               // what the call returned
	atCall                // its number
	atNoAddr4             // not 0: the address could not be read as 16 bytes
	atNoAddr6             // as 28
	atSteps               // of the path: 1 for complete
	atFiltered            // 1: a system call filter is on, and the call did not get past it
	atAddr4               // struct sockaddr_in
	atAddr6    = atAddr4 + 16
	atFields   = atAddr6 + 32
)

// The path of the executable is at most so many names of a fixed size, innermost first. An
// empty one is where a mount is attached.
const (
	names    = 24
	nameSize = 256 // NAME_MAX and a NUL
)

// The path of the cgroup is at most so many groups, innermost first: the id of each and its name.
const (
	groups    = 12
	groupSize = 8 + nameSize
)

// A shape says where the parts of an event are.
type shape struct {
	fields map[string]placed
	groups uint32 // where the path of the cgroup begins
	names  uint32 // where the names of the path begin
	size   uint32
}

// placed is a field's place in the event.
type placed struct{ at, size, shift, bits uint32 }

// A program is the instructions for the running kernel, and what its events look like.
type program struct {
	layout layout
	shape  shape
	insns  asm.Instructions
	err    error
	jumps  int
}

// A passed is what the program at the entry of a system call notes of a thread: its filters and
// the call. A filter refuses a call before its entry is traced (syscall_trace_enter), and answers
// the same call in the same way.
const (
	passedFilter = 8 * iota // the address of the filters
	passedRegs              // the registers of the number and of three arguments
	passedSize   = passedRegs + 4*8
)

// enter writes the program for the entry of system calls: it notes each bind and listen that
// got past the filters of its thread. A thread without filters costs it nothing more.
func enter(spec *btf.Spec, passed *ebpf.Map) (*program, error) {
	p := &program{layout: layout{spec}}
	p.emit(
		asm.Mov.Imm(regFailed, 0), asm.LoadMem(asm.R2, asm.R1, 8, asm.DWord),
		asm.JEq.Imm(asm.R2, unix.SYS_BIND, "wanted"), asm.JNE.Imm(asm.R2, unix.SYS_LISTEN, "out"),
		asm.LoadMem(asm.R2, asm.R1, 0, asm.DWord).WithSymbol("wanted"), asm.StoreMem(asm.RFP, slotRegs, asm.R2, asm.DWord),
		asm.FnGetCurrentTask.Call(), asm.StoreMem(asm.RFP, slotTask, asm.R0, asm.DWord),
	)
	p.load(slotTask, p.find("task_struct", "seccomp.filter"), slotParent)
	p.emit(asm.JEq.Imm(asm.R0, 0, "out"))
	p.noted()
	p.emit(
		asm.LoadMapPtr(asm.R1, passed.FD()),
		asm.Mov.Reg(asm.R2, asm.RFP), asm.Add.Imm(asm.R2, slotKey),
		asm.Mov.Reg(asm.R3, asm.RFP), asm.Add.Imm(asm.R3, slotNoted),
		asm.Mov.Imm(asm.R4, 0), asm.FnMapUpdateElem.Call(),
		asm.Mov.Imm(asm.R0, 0).WithSymbol("out"), asm.Return(),
	)
	return p, p.err
}

// noted writes what is noted of a thread and its call to the stack, and the thread's id as
// the key.
func (p *program) noted() {
	p.load(slotTask, p.find("task_struct", "seccomp.filter"), slotNoted+passedFilter)
	p.load(slotRegs, p.find("pt_regs", number()), slotNoted+passedRegs)
	for i := range 3 {
		p.load(slotRegs, p.find("pt_regs", argument(i)), int16(slotNoted+passedRegs+8*(i+1)))
	}
	p.emit(asm.FnGetCurrentPidTgid.Call(), asm.StoreMem(asm.RFP, slotKey, asm.R0, asm.DWord))
}

// filtered says in the event whether the call got past the filters.
func (p *program) filtered(passed *ebpf.Map) {
	p.emit(asm.Mov.Imm(asm.R4, 0), asm.StoreMem(regEvent, atFiltered, asm.R4, asm.DWord))
	p.load(slotTask, p.find("task_struct", "seccomp.filter"), slotParent)
	p.emit(asm.JEq.Imm(asm.R0, 0, "not filtered"))
	p.noted()
	p.emit(
		asm.LoadMapPtr(asm.R1, passed.FD()),
		asm.Mov.Reg(asm.R2, asm.RFP), asm.Add.Imm(asm.R2, slotKey), asm.FnMapLookupElem.Call(),
		asm.JEq.Imm(asm.R0, 0, "filtered"),
	)
	for at := int16(0); at < passedSize; at += 8 {
		p.emit(
			asm.LoadMem(asm.R1, asm.R0, at, asm.DWord), asm.LoadMem(asm.R2, asm.RFP, slotNoted+at, asm.DWord),
			asm.JNE.Reg(asm.R1, asm.R2, "filtered"),
		)
	}
	p.emit(
		asm.Ja.Label("not filtered"),
		asm.Mov.Imm(asm.R4, 1).WithSymbol("filtered"), asm.StoreMem(regEvent, atFiltered, asm.R4, asm.DWord),
		asm.Mov.Imm(asm.R0, 0).WithSymbol("not filtered"),
	)
}

// number is the register that has the number of the system call.
func number() string {
	return map[string]string{"amd64": "orig_ax", "arm64": "syscallno"}[runtime.GOARCH]
}

// assemble writes the program: at the exit of a system call, it sends an event if that was a
// bind or listen of an internet socket and failed. With a cgroup, of a task below it alone.
func assemble(spec *btf.Spec, events, lost, passed, cgroup *ebpf.Map) (*program, error) {
	p := &program{layout: layout{spec}, shape: shape{fields: map[string]placed{}}}
	size := uint32(atFields)
	all := fields()
	places := make([]place, len(all))
	for i, f := range all {
		at, err := p.layout.find(f.from, f.path)
		if err != nil {
			return nil, err
		}
		if f.size > 0 {
			at.size = min(f.size, max(at.size, 8))
		}
		if f.size > 8 {
			at.size = f.size
		}
		places[i] = at
		p.shape.fields[f.name] = placed{size, at.size, at.shift, at.bits}
		size += (at.size + 7) &^ 7
	}
	for _, t := range texts { // its length, and what is read
		p.shape.fields[t.name+" length"] = placed{at: size, size: 8}
		p.shape.fields[t.name] = placed{at: size + 8, size: t.room}
		size += 8 + t.room
	}
	p.shape.groups = size
	p.shape.names = p.shape.groups + groups*groupSize
	p.shape.size = p.shape.names + names*nameSize

	p.filter(cgroup)
	p.socket()
	p.reserve(events, lost)
	p.address()
	p.filtered(passed)
	for i, f := range all {
		base := int16(slotTask)
		if f.from == "sock" {
			base = slotSock
		}
		p.copy(base, places[i], p.shape.fields[f.name].at, f.may)
	}
	for _, t := range texts {
		p.text(t.name, p.find("task_struct", t.from), p.find("task_struct", t.to), t.room)
	}
	p.cgroup()
	p.path()
	p.emit(
		asm.StoreMem(regEvent, atFailed, regFailed, asm.DWord),
		asm.Mov.Reg(asm.R1, regEvent), asm.Mov.Imm(asm.R2, 0), asm.FnRingbufSubmit.Call(),
		asm.Mov.Imm(asm.R0, 0).WithSymbol("out"), asm.Return(),
	)
	return p, p.err
}

func (p *program) emit(insns ...asm.Instruction) { p.insns = append(p.insns, insns...) }

// find returns the place of a member, and keeps the first error.
func (p *program) find(structure, path string) place {
	at, err := p.layout.find(structure, path)
	if p.err == nil {
		p.err = err
	}
	if err != nil {
		return place{offsets: []uint32{0}}
	}
	return at
}

// read copies size bytes of the kernel from the address in R3 to the one in R1.
func (p *program) read(size uint32) {
	p.emit(asm.Mov.Imm(asm.R2, int32(size)), asm.FnProbeReadKernel.Call())
}

// follow leaves in R3 the address of a member, from the structure whose address is in a slot.
func (p *program) follow(base int16, at place, may bool) {
	p.emit(asm.LoadMem(asm.R3, asm.RFP, base, asm.DWord))
	for i, offset := range at.offsets {
		p.emit(asm.Add.Imm(asm.R3, int32(offset)))
		if i == len(at.offsets)-1 {
			return
		}
		p.emit(asm.Mov.Reg(asm.R1, asm.RFP), asm.Add.Imm(asm.R1, slotPointer))
		p.read(8)
		p.note(may)
		p.emit(asm.LoadMem(asm.R3, asm.RFP, slotPointer, asm.DWord))
	}
}

// note keeps the error of a read, unless there may be nothing to read.
func (p *program) note(may bool) {
	if !may {
		p.emit(asm.Or.Reg(regFailed, asm.R0))
	}
}

// copy copies a member into the event.
func (p *program) copy(base int16, from place, to uint32, may bool) {
	p.follow(base, from, may)
	p.emit(asm.Mov.Reg(asm.R1, regEvent), asm.Add.Imm(asm.R1, int32(to)))
	p.read(from.size)
	p.note(may)
}

// load reads a member of 8 bytes or fewer into a slot, and into R0. The rest of the slot is 0.
func (p *program) load(base int16, from place, slot int16) {
	p.follow(base, from, false)
	p.emit(
		asm.Mov.Imm(asm.R4, 0), asm.StoreMem(asm.RFP, slot, asm.R4, asm.DWord),
		asm.Mov.Reg(asm.R1, asm.RFP), asm.Add.Imm(asm.R1, int32(slot)),
	)
	p.read(min(from.size, 8))
	p.note(false)
	p.emit(asm.LoadMem(asm.R0, asm.RFP, slot, asm.DWord))
}

// filter leaves all calls but a bind or listen that failed. Most calls succeed, so the return
// value is looked at first, which is all that these cost.
func (p *program) filter(cgroup *ebpf.Map) {
	p.emit(
		asm.LoadMem(asm.R2, asm.R1, 8, asm.DWord),
		asm.JSGE.Imm(asm.R2, 0, "out"),
		asm.Mov.Reg(regContext, asm.R1), asm.Mov.Imm(regFailed, 0),
		asm.LoadMem(asm.R2, regContext, 0, asm.DWord), asm.StoreMem(asm.RFP, slotRegs, asm.R2, asm.DWord),
	)
	p.load(slotRegs, p.find("pt_regs", number()), slotPointer)
	p.emit(
		asm.JEq.Imm(asm.R0, unix.SYS_BIND, "wanted"),
		asm.JNE.Imm(asm.R0, unix.SYS_LISTEN, "out"),
		asm.Mov.Imm(asm.R0, 0).WithSymbol("wanted"),
	)
	if cgroup != nil {
		p.emit(asm.LoadMapPtr(asm.R1, cgroup.FD()), asm.Mov.Imm(asm.R2, 0),
			asm.FnCurrentTaskUnderCgroup.Call(), asm.JNE.Imm(asm.R0, 1, "out"))
	}
	p.emit(asm.FnGetCurrentTask.Call(), asm.StoreMem(asm.RFP, slotTask, asm.R0, asm.DWord))
}

// argument is the register of an argument of a system call, as it was at its entry.
func argument(n int) string {
	if runtime.GOARCH == "arm64" {
		return []string{"orig_x0", "regs[1]", "regs[2]"}[n]
	}
	return []string{"di", "si", "dx"}[n]
}

// socket finds the socket behind the descriptor, and leaves what is none of the internet.
func (p *program) socket() {
	p.load(slotRegs, p.find("pt_regs", argument(0)), slotPointer)
	p.emit( // a descriptor is an int
		asm.LSh.Imm(asm.R0, 32), asm.RSh.Imm(asm.R0, 32),
		asm.StoreMem(asm.RFP, slotRoot, asm.R0, asm.DWord),
	)
	p.load(slotTask, p.find("task_struct", "files.fdt.max_fds"), slotParent)
	p.emit(
		asm.LoadMem(asm.R1, asm.RFP, slotRoot, asm.DWord),
		asm.JGE.Reg(asm.R1, asm.R0, "out"), // EBADF
	)
	p.load(slotTask, p.find("task_struct", "files.fdt.fd"), slotParent)
	p.emit(
		asm.LoadMem(asm.R1, asm.RFP, slotRoot, asm.DWord), asm.LSh.Imm(asm.R1, 3),
		asm.Add.Reg(asm.R0, asm.R1), asm.StoreMem(asm.RFP, slotParent, asm.R0, asm.DWord),
	)
	p.load(slotParent, place{offsets: []uint32{0}, size: 8}, slotSock)
	p.emit(asm.JEq.Imm(asm.R0, 0, "out")) // EBADF
	p.load(slotSock, p.find("file", "f_inode.i_mode"), slotPointer)
	p.emit(asm.And.Imm(asm.R0, unix.S_IFMT), asm.JNE.Imm(asm.R0, unix.S_IFSOCK, "out")) // ENOTSOCK
	p.load(slotSock, p.find("file", "private_data"), slotSock)
	p.load(slotSock, p.find("socket", "sk"), slotSock)
	p.emit(asm.JEq.Imm(asm.R0, 0, "out"))
	p.load(slotSock, p.find("sock", "__sk_common.skc_family"), slotPointer)
	p.emit(
		asm.JEq.Imm(asm.R0, unix.AF_INET, "internet"), asm.JNE.Imm(asm.R0, unix.AF_INET6, "out"),
		asm.Mov.Imm(asm.R0, 0).WithSymbol("internet"),
	)
}

// reserve makes room for the event. Where there is none it counts the loss.
func (p *program) reserve(events, lost *ebpf.Map) {
	p.emit(
		asm.LoadMapPtr(asm.R1, events.FD()), asm.Mov.Imm(asm.R2, int32(p.shape.size)), asm.Mov.Imm(asm.R3, 0),
		asm.FnRingbufReserve.Call(),
		asm.JNE.Imm(asm.R0, 0, "room"),
		asm.Mov.Imm(asm.R4, 0), asm.StoreMem(asm.RFP, slotPointer, asm.R4, asm.DWord),
		asm.LoadMapPtr(asm.R1, lost.FD()), asm.Mov.Reg(asm.R2, asm.RFP), asm.Add.Imm(asm.R2, slotPointer),
		asm.FnMapLookupElem.Call(),
		asm.JEq.Imm(asm.R0, 0, "out"),
		asm.Mov.Imm(asm.R1, 1), asm.StoreXAdd(asm.R0, asm.R1, asm.DWord),
		asm.Ja.Label("out"),
		asm.Mov.Reg(regEvent, asm.R0).WithSymbol("room"),
		asm.LoadMem(asm.R1, regContext, 8, asm.DWord), asm.StoreMem(regEvent, atErrno, asm.R1, asm.DWord),
	)
}

// address copies the number of the call, and the address that the program gave.
func (p *program) address() {
	p.load(slotRegs, p.find("pt_regs", number()), slotPointer)
	p.emit(asm.StoreMem(regEvent, atCall, asm.R0, asm.DWord))
	for _, to := range []struct{ at, size, bad int32 }{{atAddr4, 16, atNoAddr4}, {atAddr6, 28, atNoAddr6}} {
		p.load(slotRegs, p.find("pt_regs", argument(1)), slotPointer)
		p.emit(
			asm.Mov.Reg(asm.R3, asm.R0), asm.Mov.Imm(asm.R2, to.size),
			asm.Mov.Reg(asm.R1, regEvent), asm.Add.Imm(asm.R1, to.at),
			asm.FnProbeReadUser.Call(), asm.StoreMem(regEvent, int16(to.bad), asm.R0, asm.DWord),
		)
	}
}

// text copies what is between two addresses of the process. Its length is -1 if there is more than
// room, or if it cannot be read.
func (p *program) text(name string, from, to place, room uint32) {
	at, length := int32(p.shape.fields[name].at), int16(p.shape.fields[name+" length"].at)
	none, next := "no "+name, "after "+name
	p.load(slotTask, from, slotParent)
	p.load(slotTask, to, slotRoot)
	p.emit(
		asm.LoadMem(asm.R3, asm.RFP, slotParent, asm.DWord),
		asm.Mov.Reg(asm.R2, asm.R0), asm.Sub.Reg(asm.R2, asm.R3),
		asm.JGT.Imm(asm.R2, int32(room), none),
		asm.StoreMem(regEvent, length, asm.R2, asm.DWord),
		asm.Mov.Reg(asm.R1, regEvent), asm.Add.Imm(asm.R1, at),
		asm.FnProbeReadUser.Call(), asm.JEq.Imm(asm.R0, 0, next),
		asm.Mov.Imm(asm.R4, -1).WithSymbol(none), asm.StoreMem(regEvent, length, asm.R4, asm.DWord),
		asm.Mov.Imm(asm.R0, 0).WithSymbol(next),
	)
}

// cgroup copies the ids and names from the thread's cgroup to the root of the hierarchy
// (kernfs_path_from_node). The root has no name, and behind it the ids are 0.
func (p *program) cgroup() {
	up := "__parent"
	if _, err := p.layout.find("kernfs_node", up); err != nil {
		up = "parent" // before Linux 6.15
	}
	parent := p.find("kernfs_node", up)
	p.load(slotTask, p.find("task_struct", "cgroups.dfl_cgrp.kn"), slotDentry)
	for i := range groups {
		at := int32(p.shape.groups + uint32(i)*groupSize)
		p.emit(asm.Mov.Imm(asm.R4, 0), asm.StoreMem(regEvent, int16(at), asm.R4, asm.DWord))
		p.emit(asm.LoadMem(asm.R0, asm.RFP, slotDentry, asm.DWord), asm.JEq.Imm(asm.R0, 0, "no group"))
		p.copy(slotDentry, p.find("kernfs_node", "id"), uint32(at), false)
		p.load(slotDentry, p.find("kernfs_node", "name"), slotRoot)
		p.emit(
			asm.Mov.Reg(asm.R3, asm.R0), asm.Mov.Imm(asm.R2, nameSize),
			asm.Mov.Reg(asm.R1, regEvent), asm.Add.Imm(asm.R1, at+8), asm.FnProbeReadKernelStr.Call(),
		)
		p.load(slotDentry, parent, slotDentry)
	}
	p.emit(asm.Mov.Imm(asm.R0, 0).WithSymbol("no group"))
}

// path copies the names on the way from the executable to the root of its mount namespace
// (prepend_path).
func (p *program) path() {
	vfsmount := p.find("mount", "mnt").offsets[0]
	p.emit(asm.Mov.Imm(asm.R4, 0), asm.StoreMem(regEvent, atSteps, asm.R4, asm.DWord))
	p.load(slotTask, p.find("task_struct", "mm.exe_file.f_path.mnt"), slotMount)
	p.emit(asm.Sub.Imm(asm.R0, int32(vfsmount)), asm.StoreMem(asm.RFP, slotMount, asm.R0, asm.DWord))
	p.load(slotTask, p.find("task_struct", "mm.exe_file.f_path.dentry"), slotDentry)
	for i := range names {
		name := int32(p.shape.names + uint32(i)*nameSize)
		inside, next := fmt.Sprintf("inside %d", i), fmt.Sprintf("next %d", i)
		p.load(slotMount, p.find("mount", "mnt.mnt_root"), slotRoot)
		p.emit(
			asm.LoadMem(asm.R1, asm.RFP, slotDentry, asm.DWord),
			asm.JNE.Reg(asm.R0, asm.R1, inside),
			asm.StoreImm(regEvent, int16(name), 0, asm.Byte), // the mount's own root: go on where it is attached
		)
		p.load(slotMount, p.find("mount", "mnt_parent"), slotParent)
		p.emit(asm.LoadMem(asm.R1, asm.RFP, slotMount, asm.DWord), asm.JEq.Reg(asm.R0, asm.R1, "complete"))
		p.load(slotMount, p.find("mount", "mnt_mountpoint"), slotDentry)
		p.emit(
			asm.LoadMem(asm.R1, asm.RFP, slotParent, asm.DWord), asm.StoreMem(asm.RFP, slotMount, asm.R1, asm.DWord),
			asm.Ja.Label(next),
		)
		p.insns = append(p.insns, asm.Mov.Imm(asm.R0, 0).WithSymbol(inside))
		p.load(slotDentry, p.find("dentry", "d_name.name"), slotRoot)
		p.emit(
			asm.Mov.Reg(asm.R3, asm.R0), asm.Mov.Imm(asm.R2, nameSize),
			asm.Mov.Reg(asm.R1, regEvent), asm.Add.Imm(asm.R1, name), asm.FnProbeReadKernelStr.Call(),
		)
		p.load(slotDentry, p.find("dentry", "d_parent"), slotDentry)
		p.emit(asm.Mov.Imm(asm.R0, 0).WithSymbol(next))
	}
	p.emit(
		asm.Ja.Label("incomplete"),
		asm.Mov.Imm(asm.R4, 1).WithSymbol("complete"), asm.StoreMem(regEvent, atSteps, asm.R4, asm.DWord),
		asm.Mov.Imm(asm.R0, 0).WithSymbol("incomplete"),
	)
}
