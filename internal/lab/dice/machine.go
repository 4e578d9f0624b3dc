package dice

import "fmt"

// zoneAddress is the command that makes the address with a zone.
const zoneAddress = "ip address add fe80::1/64 dev lo scope link"

// machine makes the addresses, and a process that has nothing to do with it.
func (s Situation) machine() string {
	b := "setpriv --reuid=operator --regid=operator --clear-groups sleep 1000 </dev/null >/dev/null 2>&1 &\necho $! >/run/bystander\n"
	if s.is("tracer", "late") {
		b += `mkdir -m 777 /run/wait
(while :; do
	until [ -s /run/wait/pid ]; do sleep 0.003; done
	pid=$(cat /run/wait/pid)
	rm /run/wait/pid
	strace -f -e trace=none -o /dev/null -p "$pid"
done) </dev/null >/dev/null 2>&1 &
`
	}
	if s.is("launcher", "netns") {
		b += "ip netns add wan\nip -n wan link set lo up\n"
	}
	switch s.get("address") {
	case "off6":
		b += "echo 1 >/proc/sys/net/ipv6/conf/lo/disable_ipv6\n"
	case "tentative":
		b += `ip link add lan0 type veth peer name lan1
echo 3600 >/proc/sys/net/ipv6/conf/lan0/dad_transmits
ip link set lan1 up
ip link set lan0 up
ip address add 2001:db8::1/64 dev lan0
`
	case "zone":
		b += zoneAddress + "\n"
	}
	return b
}

// holders makes what has the port already.
func (s Situation) holders() string {
	kind := s.get("holder")
	user, run := "operator", ""
	address := ":" + s.port()
	switch kind {
	case "none", "passed":
		return ""
	case "kernel":
		return "ip link add vx0 type vxlan id 1 dstport " + s.port() + " local 127.0.0.1\nip link set vx0 up\n"
	case "same":
		user = "app"
	case "root":
		user = "root"
	case "any4":
		address = "0.0.0.0" + address
	case "lo4":
		address = "127.0.0.1" + address
	case "reuseport":
		user = "app"
		fallthrough
	case "bound", "bound-alone", "mptcp", "dual", "time-wait", "served", "served-wait", "several":
		run = "/lab/occupy " + kind + " " + s.port()
	}
	if run == "" {
		run = "/lab/hold " + address
		if s.is("proto", "udp") {
			run = "/lab/hold udp " + address
		}
	}
	who := fmt.Sprintf("setpriv --reuid=%s --regid=%[1]s --clear-groups --inh-caps=+net_bind_service --ambient-caps=+net_bind_service", user)
	return fmt.Sprintf(`mkdir -m 777 /run/ready
%s %s /run/ready/holder </dev/null >/dev/null 2>&1 &
echo $! >/run/holder
until [ -e /run/ready/holder ]; do kill -0 $!; sleep 0.003; done
`, who, run)
}

// policy makes what comes last: it would stand in the way of what is made before.
func (s Situation) policy() string {
	b := ""
	switch s.get("threshold") {
	case "lowered":
		b += "echo 0 >/proc/sys/net/ipv4/ip_unprivileged_port_start\n"
	case "port":
		b += "echo " + s.lowest() + " >/proc/sys/net/ipv4/ip_unprivileged_port_start\n"
	case "raised":
		b += "echo 9000 >/proc/sys/net/ipv4/ip_unprivileged_port_start\n"
	}
	switch kind := s.get("bpf"); kind {
	case "bind":
		b += "/lab/denybind /sys/fs/cgroup/user.slice\n"
	case "create", "after":
		b += "/lab/denybind /sys/fs/cgroup/user.slice " + kind + "\n"
	}
	switch s.get("place") {
	case "hidepid":
		b += "mount -o remount,hidepid=2 /proc\n"
	case "subset":
		b += "mount -t proc -o subset=pid proc /proc\n"
	}
	// A process starts at a tick, of which there are a hundred a second: the file was there before.
	return b + "sleep 0.02\n"
}
