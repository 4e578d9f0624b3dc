#!/bin/sh
# setpriv.sh USER PROGRAM [ARG...]: starts any program, an interpreter too, as a user who is
# not root, with one capability and no way to another. Run it as root; nothing is left behind
# when the program ends.
#
#   sudo ./setpriv.sh www python3 server.py
#
# The program has the terminal that it is started from, and may type into a shell of root's
# there (TIOCSTI). In such a shell, and with a sudo before 1.9.14, give it one of its own:
#
#   runuser -P -u root -- ./setpriv.sh www python3 server.py
#
# An ambient capability has to be inheritable as well: without --inh-caps setpriv exits with 0
# and grants nothing. --no-new-privs takes nothing from it: no file has to give anything.
set -eu
user=$1
shift
uid=$(id -u -- "$user")
gid=$(id -g -- "$user")
[ "$uid" != 0 ] || { echo "$0: $user is root" >&2; exit 64; }
exec setpriv --reuid="$uid" --regid="$gid" --init-groups \
	--inh-caps=-all,+net_bind_service \
	--ambient-caps=-all,+net_bind_service \
	--bounding-set=-all,+net_bind_service \
	--no-new-privs \
	-- "$@"
