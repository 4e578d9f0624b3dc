package kernel_test

import (
	. "github.com/lowport/lowport/internal/kernel"
	"testing"

	"github.com/lowport/lowport/caps"
	"github.com/lowport/lowport/internal/facts"
)

// The kernel does not execute a file whose effective bit asks for more than the
// bounding set allows.
func TestStarts(t *testing.T) {
	raw := caps.SetOf(caps.NET_RAW)
	for _, tt := range []struct {
		name    string
		starter caps.State
		file    caps.File
		change  func(*facts.Facts)
		want    Answer
		missing caps.Set
	}{
		{"all is allowed", caps.State{Bounding: bindCap}, caps.File{Permitted: bindCap, Effective: true}, nil, Yes, 0},
		{"not in the bounding set", caps.State{}, caps.File{Permitted: bindCap, Effective: true}, nil, No, bindCap},
		{"one of two", caps.State{Bounding: bindCap}, caps.File{Permitted: bindCap | raw, Effective: true}, nil, No, raw},
		{"without the bit", caps.State{}, caps.File{Permitted: bindCap}, nil, Yes, 0},
		{"by the inheritable sets", caps.State{Inheritable: bindCap}, caps.File{Permitted: bindCap, Inheritable: bindCap, Effective: true}, nil, Yes, 0},
		{"above the last", caps.State{}, caps.File{Permitted: 1 << 60, Effective: true}, nil, Yes, 0},
		{"for another namespace", caps.State{}, caps.File{Permitted: bindCap, Effective: true, Version: 3, RootID: 7}, nil, Yes, 0},
		{"nosuid", caps.State{}, caps.File{Permitted: bindCap, Effective: true}, func(f *facts.Facts) { f.File.Installed.Nosuid = known(true) }, Yes, 0},
		{"by a foreign mount", caps.State{}, caps.File{Permitted: bindCap, Effective: true}, func(f *facts.Facts) { f.Launch.Foreign = true }, Yes, 0},
		{"unreadable", caps.State{}, caps.File{}, func(f *facts.Facts) { f.File.Installed.Caps = facts.Fact[caps.File]{} }, Unknown, 0},
	} {
		f := web()
		f.File.Installed.Caps = known(tt.file)
		f.Launch.Starter = known(tt.starter)
		if tt.change != nil {
			tt.change(&f)
		}
		if got := executes(f); got != tt.want || missing(f) != tt.missing {
			t.Errorf("%s: %v, missing %v; want %v, %v", tt.name, got, missing(f), tt.want, tt.missing)
		}
		// A high port takes no capability, and yet the program has to start.
		if got := allows(start(f), tcp("", 8443)); got != tt.want {
			t.Errorf("%s: a high port: %v, want %v", tt.name, got, tt.want)
		}
		f.Launch = facts.Launch{}
		if Executes(&f) != Yes {
			t.Errorf("%s: a program that runs has been started", tt.name)
		}
	}
}

// A family that no socket can be made of, and one that stands in for the other.
func TestFamily(t *testing.T) {
	only := func(refused ...string) facts.Facts {
		var probes []facts.Probe
		for _, n := range []string{"tcp4", "tcp6", "udp4", "udp6"} {
			p := facts.Probe{Network: n}
			for _, r := range refused {
				if r == n {
					p.Errno = "EAFNOSUPPORT"
				}
			}
			probes = append(probes, p)
		}
		return with(web(), func(f *facts.Facts) { f.Policy.Probes = known(probes) })
	}
	for _, tt := range []struct {
		f    facts.Facts
		g    Goal
		want string
	}{
		{only(), tcp("", 8443), ""},
		{only("tcp6"), tcp("", 8443), ""},
		{only("tcp6"), tcp("::1", 8443), "EAFNOSUPPORT"},
		{only("tcp6"), tcp("127.0.0.1", 8443), ""},
		{only("tcp4", "tcp6"), tcp("", 8443), "EAFNOSUPPORT"},
		{only("tcp4", "tcp6"), Goal{Network: "udp", Port: 8443}, ""},
		{only("udp4"), Goal{Network: "udp4", Port: 8443}, "EAFNOSUPPORT"},
		{web(), tcp("", 8443), ""},
	} {
		if got := SocketErrno(&tt.f, tt.g); got != tt.want {
			t.Errorf("%+v: %q, want %q", tt.g, got, tt.want)
		}
	}
}
