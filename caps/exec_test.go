package caps

import (
	"errors"
	"syscall"
	"testing"
)

// Some rows by hand; internal/lab compares the whole rule with the kernel.
func TestExec(t *testing.T) {
	const (
		web  = Set(1 << NET_BIND_SERVICE)
		raw  = Set(1 << NET_RAW)
		full = Set(1<<(CHECKPOINT_RESTORE+1) - 1)
	)
	user := Exec{UID: 1000, EUID: 1000, GID: 1000, EGID: 1000, Groups: []uint32{4}}
	with := func(change func(e *Exec)) Exec { e := user; change(&e); return e }
	file := func(f File) Exec { return with(func(e *Exec) { e.File = &f }) }
	bound := State{Bounding: full}
	ambient := State{Inheritable: web, Permitted: web, Effective: web, Ambient: web, Bounding: full}
	root := State{Permitted: full, Effective: full, Bounding: full}

	for name, test := range map[string]struct {
		before State
		e      Exec
		want   State // E, P, I and A alone
		err    bool
	}{
		"nothing":                            {bound, user, State{}, false},
		"permitted is lost":                  {State{Permitted: web, Effective: web, Bounding: full}, user, State{}, false},
		"ambient stays":                      {ambient, user, ambient, false},
		"file p":                             {bound, file(File{Permitted: web}), State{Permitted: web}, false},
		"file ep":                            {bound, file(File{Permitted: web, Effective: true}), State{Permitted: web, Effective: web}, false},
		"file ep outside the bounding set":   {State{}, file(File{Permitted: web, Effective: true}), State{}, true},
		"file p outside the bounding set":    {State{}, file(File{Permitted: web}), State{}, false},
		"file ep of a newer kernel":          {bound, file(File{Permitted: web | 1<<63, Effective: true}), State{Permitted: web, Effective: web}, false},
		"file i":                             {State{Inheritable: web}, file(File{Inheritable: web}), State{Inheritable: web, Permitted: web}, false},
		"file i without the process":         {bound, file(File{Inheritable: web, Effective: true}), State{}, false},
		"any attribute clears ambient":       {ambient, file(File{}), State{Inheritable: web}, false},
		"nosuid mount":                       {ambient, with(func(e *Exec) { e.File, e.Nosuid = &File{Permitted: raw, Effective: true}, true }), ambient, false},
		"no_new_privs and file":              {State{Bounding: full, NoNewPrivs: true}, file(File{Permitted: web, Effective: true}), State{}, false},
		"no_new_privs and held already":      {State{Permitted: web, Bounding: full, NoNewPrivs: true}, file(File{Permitted: web, Effective: true}), State{Permitted: web, Effective: web}, false},
		"no_new_privs and ambient":           {State{Inheritable: web, Permitted: web, Ambient: web, NoNewPrivs: true}, user, ambient, false},
		"traced":                             {bound, with(func(e *Exec) { e.File, e.Traced = &File{Permitted: web}, true }), State{}, false},
		"shared folder":                      {bound, with(func(e *Exec) { e.File, e.SharedFS = &File{Permitted: web}, true }), State{}, false},
		"root":                               {State{Bounding: full}, Exec{}, State{Permitted: full, Effective: full}, false},
		"root with noroot":                   {State{Permitted: full, Effective: full, Bounding: full, Securebits: NoRoot}, Exec{}, State{}, false},
		"root without the bit":               {State{Bounding: full &^ web}, Exec{}, State{Permitted: full &^ web, Effective: full &^ web}, false},
		"real root alone":                    {root, Exec{EUID: 1000}, State{Permitted: full}, false},
		"setuid root":                        {bound, with(func(e *Exec) { e.Setuid = true }), State{Permitted: full, Effective: full}, false},
		"setuid root with file capabilities": {bound, with(func(e *Exec) { e.Setuid, e.File = true, &File{Permitted: web} }), State{Permitted: web}, false},
		"setuid clears ambient":              {ambient, with(func(e *Exec) { e.Setuid, e.FileUID = true, 1001 }), State{Inheritable: web}, false},
		"setuid to oneself":                  {ambient, with(func(e *Exec) { e.Setuid, e.FileUID = true, 1000 }), ambient, false},
		"setgid clears ambient":              {ambient, with(func(e *Exec) { e.Setgid, e.FileGID = true, 5 }), State{Inheritable: web}, false},
		"setgid to a group one is in":        {ambient, with(func(e *Exec) { e.Setgid, e.FileGID = true, 4 }), ambient, false},
		"and before 6.16":                    {ambient, with(func(e *Exec) { e.Setgid, e.FileGID, e.RealIDs = true, 4, true }), State{Inheritable: web}, false},
		"other effective uid":                {ambient, with(func(e *Exec) { e.EUID = 1001 }), ambient, false},
		"other effective uid before 6.16":    {ambient, with(func(e *Exec) { e.EUID, e.RealIDs = 1001, true }), State{Inheritable: web}, false},
	} {
		got, err := test.before.Exec(test.e)
		if test.err {
			if !errors.Is(err, ErrExecRefused) || !errors.Is(err, syscall.EPERM) || got != (State{}) {
				t.Errorf("%s: %+v, %v", name, got, err)
			}
			continue
		}
		want := test.want
		want.Bounding, want.NoNewPrivs, want.Securebits = test.before.Bounding, test.before.NoNewPrivs, test.before.Securebits&^KeepCaps
		if err != nil || got != want {
			t.Errorf("%s:\ngot  %+v, %v\nwant %+v", name, got, err, want)
		}
	}
}

func TestSetUIDs(t *testing.T) {
	full := UpTo(Last)
	held := State{Permitted: full, Effective: full, Inheritable: SetOf(NET_RAW), Ambient: SetOf(NET_RAW), Bounding: full}
	cleared := State{Inheritable: held.Inheritable, Bounding: full}
	user := UIDs{1000, 1000, 1000}
	if got := held.SetUIDs(UIDs{}, user); got != cleared {
		t.Errorf("leaving root: %+v", got)
	}
	keep := held
	keep.Securebits = KeepCaps
	if got := keep.SetUIDs(UIDs{}, user); got.Permitted != full || got.Effective != 0 || got.Ambient != 0 {
		t.Errorf("leaving root with keepcaps: %+v", got)
	}
	fixed := held
	fixed.Securebits = NoSetuidFixup
	if got := fixed.SetUIDs(UIDs{}, user).SetFSUID(0, 1); got != fixed {
		t.Errorf("without fixup: %+v", got)
	}
	half := held.SetUIDs(UIDs{}, UIDs{0, 1000, 0})
	if half.Permitted != full || half.Effective != 0 || half.Ambient != held.Ambient {
		t.Errorf("lowering the effective uid: %+v", half)
	}
	if got := half.SetUIDs(UIDs{0, 1000, 0}, UIDs{}); got != held {
		t.Errorf("and raising it: %+v", got)
	}
	fs := held.SetFSUID(0, 1000)
	if fs.Effective.Has(CHOWN) || !fs.Effective.Has(NET_RAW) {
		t.Errorf("fsuid: %+v", fs)
	}
	if got := fs.SetFSUID(1000, 0); got != held {
		t.Errorf("and back: %+v", got)
	}
}
