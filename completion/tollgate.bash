# bash completion of tollgate

_tollgate()
{
	local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} words=
	COMPREPLY=()
	if [ "$COMP_CWORD" -eq 1 ]; then
		words='serve send help version --help --version'
	else
		case ${COMP_WORDS[1]}:$before in
		help:help) words='serve send help version' ;;
		send:--signal) words='traces logs metrics' ;;
		serve:--config) ;;
		serve:*) words='--config --set --help' ;;
		send:--to) return ;;
		send:*) words='--to --signal --help' ;;
		esac
	fi
	case $word in
	-*) ;;
	*) [ "$COMP_CWORD" -eq 1 ] || mapfile -t COMPREPLY < <(compgen -f -- "$word") ;;
	esac
	mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -W "$words" -- "$word")
}
complete -o filenames -F _tollgate tollgate
