package dice

import "strings"

// disk makes the program's file.
func (s Situation) disk() string {
	b := "mkdir /srv/app\n"
	switch s.get("mount") {
	case "nosuid":
		b += "mount -t tmpfs -o nosuid,mode=755 tmpfs /srv/app\n" + s.file("/srv/app")
	case "ramfs":
		b += "mount -t ramfs ramfs /srv/app\nchmod 755 /srv/app\n" + s.file("/srv/app")
	case "overlay":
		b += "mkdir /srv/low /srv/up /srv/work\n" + s.file("/srv/low") +
			"mount -t overlay -o lowerdir=/srv/low,upperdir=/srv/up,workdir=/srv/work overlay /srv/app\n"
	case "read-only":
		b += s.file("/srv/app") + "mount --bind /srv/app /srv/app\nmount -o remount,bind,ro /srv/app\n"
	case "foreign":
		b += "unshare -m sh -euc '\nmount -t tmpfs -o mode=755 tmpfs /srv/app\n" + s.file("/srv/app") +
			"echo $$ >/run/other.new\nmv /run/other.new /run/other\nexec sleep 1000' </dev/null >/dev/null 2>&1 &\n" +
			"until [ -s /run/other ]; do kill -0 $!; sleep 0.003; done\n"
	case "idmapped":
		b += "mount -t tmpfs -o mode=755 tmpfs /srv/app\n" + s.file("/srv/app") + "/lab/idmap mount /srv/app\n"
	case "private": // the launcher mounts it
	default:
		b += s.file("/srv/app")
	}
	if s.is("by", "container") {
		b += "mkdir /run/bundle\n"
	}
	if s.is("launcher", "chroot") {
		b += "mkdir /mnt/root\nmount --rbind / /mnt/root\n"
	}
	return b
}

// file installs the program in a folder.
func (s Situation) file(dir string) string {
	b := ""
	if s.is("by", "container") {
		dir += "/rootfs"
		b = strings.ReplaceAll(s.image(), rootfs, dir)
	}
	file := commandLine([]string{dir + "/" + s.name()})
	b += "install /lab/guest " + file + "\n"
	setcap := ""
	switch kind := s.get("file"); kind {
	case "granted":
		setcap = s.need() + "=" + s.enough()
	case "p", "ep", "i", "ei":
		setcap = s.need() + "=" + kind
	case "more":
		setcap = s.need() + ",cap_net_raw=ep"
	case "other":
		setcap = "cap_net_raw=p"
	case "other-e":
		setcap = "cap_net_raw=ep"
	case "partial": // the first of several, or one that is none of them
		setcap = "cap_net_admin=ep"
	case "empty":
		setcap = "="
	case "own":
		setcap = "-n 1000 " + s.need() + "=" + s.enough()
	case "foreign":
		setcap = "-n 100000 " + s.need() + "=" + s.enough()
	case "setgid":
		b += "chgrp operator " + file + "\nchmod g+s " + file + "\n"
	case "setuid":
		b += "chown operator " + file + "\nchmod u+s " + file + "\n"
	}
	switch {
	case setcap == "":
	case s.is("mount", "ramfs"): // it has no attributes
		b += "setcap " + setcap + " " + file + " 2>/dev/null || true\n"
	default:
		b += "setcap " + setcap + " " + file + "\n"
	}
	return b
}

// enough is what the file has to grant: Bind raises what is permitted, Require does not.
func (s Situation) enough() string {
	if s.is("ask", "bind", "several") {
		return "p"
	}
	return "ep"
}

// onDisk is the path of the program for who starts it.
func (s Situation) onDisk() string {
	if s.is("by", "container") {
		return rootfs + "/server"
	}
	return "/srv/app/" + s.name()
}

func (s Situation) path() string {
	if s.is("mount", "foreign") {
		return "/proc/self/fd/9"
	}
	return "/srv/app/" + s.name()
}

// name is that of the program's file.
func (s Situation) name() string {
	return map[string]string{
		"plain": "server", "space": "my server", "quote": "it's", "dollar": "$(id)", "equals": "=ls", "backslash": `a'b`, "tilde": "~root",
	}[s.get("name")]
}
