# bash completion of tollgate

_tollgate()
{
	local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} words= files=
	case $COMP_CWORD:${COMP_WORDS[1]}:$before in
	1:*) words='serve config key hook send show sessions cost prices spool verify help version --help --version' ;;
	2:help:*) words='serve config key hook send show sessions cost prices spool verify help version' ;;
	*:serve:--config | *:config:--config | *:prices:--config) files=1 ;;
	*:config:*) words='--example --check --show --config --set --json --help' ;;
	*:serve:*) words='--config --set --help' ;;
	*:key:--append) files=1 ;;
	*:key:*) words='--append --help' ;;
	*:send:--signal) words='traces logs metrics' ;;
	*:send:--to | *:hook:--to) ;;
	*:--ca) files=1 ;;
	*:hook:*) words='claude-code codex gemini --to --ca --help' ;;
	*:--by) words='model cli day session' ;;
	*:--since) words='7d 24h 30m' ;;
	*:--socket) files=1 ;;
	*:show:--last | *:sessions:--limit) ;;
	*:show:*) words='--last --content --json --socket --help' ;;
	*:sessions:*) words='--since --limit --live --json --socket --help' ;;
	*:cost:*) words='--by --since --json --socket --help' ;;
	*:prices:--tier) words='standard batch flex priority fast' ;;
	*:prices:--region) words='inference_geo=us data_residency=us data_residency=eu' ;;
	2:prices:*) words='check explain list --help' ;;
	*:prices:--json | *:prices:--unknown | *:prices:[!-]*)
		case ${COMP_WORDS[2]} in
		check) files=1 words=--help ;;
		list) words='--unknown --provider --at --config --json --socket --help' ;;
		*)
			words='--input --cached --cache-write --cache-write-5m --cache-write-1h --output
				--reasoning --audio-input --cached-audio-input --audio-output --image-input
				--image-output --web-searches --file-searches --grounded-prompts
				--at --tier --provider --region --config --json --help'
			;;
		esac
		;;
	*:prices:--*) ;; # a number, a time, a name
	*:spool:--destination | *:spool:--reason | *:spool:--limit) ;;
	2:spool:*) words='dead --json --socket --help' ;;
	3:spool:dead) words='list show retry drop export' ;;
	*:spool:*)
		words='--destination --reason --all --limit --content --yes --json --socket --help'
		[ "${COMP_WORDS[3]}" != export ] || files=1
		;;
	*:verify:*) words='--since --json --socket --help' ;;
	*:send:*) words='--to --ca --signal --help' files=1 ;;
	esac
	mapfile -t COMPREPLY < <(
		case $word in -*) files= ;; esac
		[ -z "$files" ] || compgen -f -- "$word"
		[ -n "$files" ] && [ -z "$word" ] || compgen -W "$words" -- "$word"
	)
}
complete -o filenames -F _tollgate tollgate
