#!/bin/sh
# authbind.sh USER PORT...: lets a user bind these ports by authbind. Run it as root.
#
#   sudo ./authbind.sh www 80 443
#
# Then "authbind --deep python3 server.py" binds; so does a Go program with guard.Authbind(),
# which asks authbind's helper itself. A Go program without it calls the kernel and not the
# library that authbind preloads, and is refused.
set -eu
user=$1
shift
for port; do
	case $port in
	'' | 0* | *[!0-9]*) echo "$0: \"$port\" is not the number of a port" >&2; exit 64 ;;
	esac
	# From 512 on authbind wants it said twice: with a ! (authbind(1), "Ports 512-1023").
	[ "$port" -lt 512 ] || port="!$port"
	# The file says nothing: what counts is that the user may execute it.
	install -o "$user" -m 500 /dev/null "/etc/authbind/byport/$port"
done
