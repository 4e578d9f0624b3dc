//go:build linux

package main

import (
	"math/rand/v2"
	"os"

	"golang.org/x/sys/unix"

	"github.com/lowport/lowport/caps"
)

// A Draw is a process with random powers.
type Draw struct {
	UID, GID uint32 // in its user namespace, if it has one
	Groups   []uint32
	Ambient  caps.Set

	UserNS         bool
	UIDMap, GIDMap caps.IDMap

	// What it does with its powers before it is audited.
	Saved bool // keeps uid 0 as its saved one
	Lower bool // empties the sets of its first thread alone
	Idle  bool // makes nothing effective: permitted is enough
	Bare  bool // lacks no_new_privs, so that it may gain what a file grants

	Door  string // a file or folder that is opened to somebody
	Mode  uint32
	Owner [2]uint32

	Open string // what it is started with as a descriptor
	How  int

	Terminal string // which end, or what, it has of a terminal where a process of root is: "controlling", "slave", "master"

	Victim int // a process of root
}

// targets are what an attacker would write to become root: folders end in a slash.
var targets = []string{
	"/etc/", "/etc/cron.d/", "/etc/cron.d/job", "/etc/cron.daily/", "/etc/crontab", "/etc/sudoers", "/etc/sudoers.d/",
	"/etc/passwd", "/etc/shadow", "/etc/ld.so.preload", "/etc/ld.so.conf.d/", "/etc/systemd/system/", "/etc/systemd/system/x.service",
	"/etc/pam.d/", "/etc/profile.d/", "/etc/udev/rules.d/", "/root/", "/root/.ssh/", "/root/.ssh/authorized_keys", "/root/.ssh/id_x",
	"/etc/letsencrypt/renewal-hooks/deploy/", "/etc/initramfs-tools/scripts/x", "/opt/lib/", "/opt/lib/libx.so", "/opt/pam/pam_x.so",
	"/usr/lib/arch/security/", "/usr/lib/arch/security/pam_x.so", "/usr/lib/arch/libx.so", "/usr/lib/modules/1/x.ko",
	"/usr/lib/node_modules/a/index.js", "/usr/share/perl5/A/B.pm", "/usr/share/perl5/A/", "/var/spool/cron/atjobs/",
	"/usr/local/", "/usr/local/bin/", "/usr/local/bin/tool", "/usr/local/lib/", "/mnt/cronjob", "/mnt/running",
}

func pick[T any](r *rand.Rand, from ...T) T { return from[r.IntN(len(from))] }

func drawn(r *rand.Rand) Draw {
	d := Draw{UID: pick[uint32](r, 1000, 1000, 65534), GID: pick[uint32](r, 1000, 1000, 4242, 0), Groups: pick(r, nil, nil, []uint32{42}, []uint32{4242})}
	for range pick(r, 0, 0, 1, 2) {
		if c := caps.Cap(r.IntN(int(caps.Last) + 1)); owned.Has(c) {
			d.Ambient = d.Ambient.With(c)
		}
	}
	if r.IntN(3) == 0 {
		d.userNS(r)
	} else {
		d.Saved = r.IntN(12) == 0
	}
	d.Lower, d.Idle, d.Bare = r.IntN(8) == 0, r.IntN(4) == 0, r.IntN(8) == 0
	if r.IntN(3) == 0 {
		d.Door = pick(r, targets...)
		d.Mode = pick[uint32](r, 0o777, 0o775, 0o770, 0o757, 0o755, 0o700, 0o1777)
		d.Owner = pick(r, [2]uint32{0, 0}, [2]uint32{1000, 0}, [2]uint32{0, 4242}, [2]uint32{0, 42}, [2]uint32{0, 1000})
	}
	if r.IntN(6) == 0 {
		d.Open = pick(r, "/root/.ssh/id_x", "/usr/lib/arch/security/pam_x.so", "/usr/share/perl5/A/B.pm", "/opt/lib/libx.so", "/etc/shadow", "/etc/sudoers", "/etc/cron.d/job", "/etc/passwd", "/usr/local/bin/tool")
		d.How = pick(r, os.O_RDONLY, os.O_WRONLY, os.O_RDWR, os.O_WRONLY|os.O_APPEND, unix.O_PATH)
	}
	if r.IntN(6) == 0 {
		d.Terminal = pick(r, "controlling", "slave", "master")
		d.Open = ""
	}
	return d
}

// userNS draws which ids are mapped. The process is root inside, or an ordinary user.
func (d *Draw) userNS(r *rand.Rand) {
	d.UserNS = true
	maps := []caps.IDMap{
		{{Inside: 0, Outside: 1000, Count: 1}},
		{{Inside: 0, Outside: 0, Count: 1}, {Inside: 1000, Outside: 1000, Count: 1}},
		{{Inside: 0, Outside: 0, Count: 65536}},
		{{Inside: 0, Outside: 100000, Count: 65536}},
		{{Inside: 0, Outside: 1000, Count: 1}, {Inside: 1, Outside: 1001, Count: 5}},
		{{Inside: 0, Outside: 1000, Count: 1}, {Inside: 5, Outside: 0, Count: 1}},
	}
	d.UIDMap, d.GIDMap = pick(r, maps...), pick(r, maps...)
	inside := func(m caps.IDMap) uint32 {
		if _, ok := m.Outside(1000); ok && r.IntN(2) == 0 {
			return 1000
		}
		return m[0].Inside
	}
	d.UID, d.GID, d.Groups = inside(d.UIDMap), inside(d.GIDMap), nil
}
