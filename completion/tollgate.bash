# bash completion of tollgate

_tollgate()
{
	local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} words= files=
	case $COMP_CWORD:${COMP_WORDS[1]}:$before in
	1:*) words='serve send show sessions cost help version --help --version' ;;
	2:help:*) words='serve send show sessions cost help version' ;;
	*:serve:--config) files=1 ;;
	*:serve:*) words='--config --set --help' ;;
	*:send:--signal) words='traces logs metrics' ;;
	*:send:--to) ;;
	*:--by) words='model cli day session' ;;
	*:--since) words='7d 24h 30m' ;;
	*:--socket) files=1 ;;
	*:show:--last | *:sessions:--limit) ;;
	*:show:*) words='--last --content --json --socket --help' ;;
	*:sessions:*) words='--since --limit --json --socket --help' ;;
	*:cost:*) words='--by --since --json --socket --help' ;;
	*:send:*) words='--to --signal --help' files=1 ;;
	esac
	mapfile -t COMPREPLY < <(
		case $word in -*) files= ;; esac
		[ -z "$files" ] || compgen -f -- "$word"
		[ -n "$files" ] && [ -z "$word" ] || compgen -W "$words" -- "$word"
	)
}
complete -o filenames -F _tollgate tollgate
