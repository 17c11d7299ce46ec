"""Chat templates in the manner of the models of 2026, each with what is peculiar to its family; the words are ours."""
# ruff: noqa: E501  (templates are lines)

from __future__ import annotations

# Macros that call themselves, sorted keys, values by their kind; thoughts cut out of what was said; results within the
# model's turn. The small models' prompt ends with the turn's beginning, that of the large ones with empty thoughts.
_GEMMA4 = """
{%- macro value(v, quote=true) -%}
{%- if v is string -%}{{ '<|"|>' + v + '<|"|>' if quote else v }}
{%- elif v is boolean -%}{{ 'true' if v else 'false' }}
{%- elif v is mapping -%}{{ '{' }}{% for k, x in v | dictsort %}{{ k }}:{{ value(x) }}{{ ',' if not loop.last }}{% endfor %}{{ '}' }}
{%- elif v is sequence -%}[{% for x in v %}{{ value(x) }}{{ ',' if not loop.last }}{% endfor %}]
{%- else -%}{{ v }}{%- endif -%}
{%- endmacro -%}
{%- macro declared(tool) -%}
{%- set f = tool['function'] -%}declaration:{{ f['name'] }}{description:{{ value(f.get('description', '')) }}
{%- if f.get('parameters') is mapping %},parameters:{type:{{ value(f['parameters'].get('type', 'object') | upper) }}
{%- if f['parameters'].get('required') %},required:{{ value(f['parameters']['required'] | map('upper') | list) }}{% endif %}
{%- set ns = namespace(found=false) %}{% for k, v in (f['parameters'].get('properties') or {}) | dictsort %},{{ k }}:{{ value(v) }}{% set ns.found = true %}{% endfor %}}{% endif %}}
{%- endmacro -%}
{%- macro without_thoughts(text) -%}
{%- set ns = namespace(kept='') -%}
{%- for part in text.split('<channel|>') -%}{%- set ns.kept = ns.kept + part.split('<|channel>')[0] -%}{%- endfor -%}
{{- ns.kept | trim -}}
{%- endmacro -%}
{%- macro text_of(message) -%}
{%- if message.get('content') is string -%}{{ message['content'] }}
{%- elif message.get('content') is sequence -%}{% for part in message['content'] if part['type'] == 'text' %}{{ part['text'] }}{% endfor %}
{%- endif -%}
{%- endmacro -%}
{{- bos_token -}}
{%- set head = messages[0] if messages and messages[0]['role'] in ['system', 'developer'] else none -%}
{%- if head or tools or enable_thinking | default(false) -%}
<|turn>system{{ '\n' }}{% if enable_thinking | default(false) %}{{ '<|think|>\n' }}{% endif %}
{%- if head %}{{ text_of(head) | trim }}{% endif %}
{%- for tool in tools or [] %}<|tool>{{ declared(tool) }}<tool|>{% endfor %}<turn|>{{ '\n' }}
{%- endif -%}
{%- for message in (messages[1:] if head else messages) -%}
{%- if message['role'] == 'tool' -%}
{%- set names = namespace(of='unknown') -%}
{%- for other in messages %}{% for call in other.get('tool_calls') or [] %}{% if call.get('id') == message.get('tool_call_id') %}{% set names.of = call['function']['name'] %}{% endif %}{% endfor %}{% endfor -%}
<|tool_response>response:{{ names.of }}{value:{{ value(text_of(message)) }}}<tool_response|>
{%- else -%}
{%- set role = 'model' if message['role'] == 'assistant' else message['role'] -%}
{%- set goes_on = role == 'model' and loop.previtem is defined and loop.previtem['role'] == 'tool' -%}
{%- if not goes_on %}{{ '<|turn>' + role + '\n' }}{% endif -%}
{%- if role == 'model' -%}
{{- without_thoughts(text_of(message)) -}}
{%- for call in message.get('tool_calls') or [] %}<|tool_call>call:{{ call['function']['name'] }}{{ value(call['function']['arguments']) }}<tool_call|>{% endfor -%}
{%- else -%}{{ text_of(message) | trim }}{%- endif -%}
{%- if not message.get('tool_calls') -%}{{ '<turn|>\n' }}{%- endif -%}
{%- endif -%}
{%- endfor -%}
{%- if add_generation_prompt and not (messages and messages[-1]['role'] == 'tool') -%}{{ '<|turn>model\n' }}PROMPT{%- endif -%}
"""
_GEMMA4_CLOSED = "{% if not enable_thinking | default(false) %}{{ '<|channel>thought\\n<channel|>' }}{% endif %}"

# No conversation without a question; what was thought before the last one is left out; calls as XML; the thoughts open in
# the prompt where the guard says so: of the small models only where they are asked to, of the large ones unless not to.
_QWEN35 = """
{%- macro written(content) -%}
{%- if content is string %}{{ content }}{% elif content is iterable and content is not mapping %}{% for part in content %}{{ part.text if part is mapping else part }}{% endfor %}{% endif -%}
{%- endmacro -%}
{%- set ns = namespace(last=-1) -%}
{%- for m in messages[::-1] %}{% if ns.last < 0 and m.role == 'user' %}{% set ns.last = messages | length - 1 - loop.index0 %}{% endif %}{% endfor -%}
{%- if ns.last < 0 %}{{ raise_exception('there is no question') }}{% endif -%}
{%- if tools %}{{ '<|im_start|>system\n# Tools\n<tools>' }}{% for tool in tools %}{{ '\n' + (tool | tojson) }}{% endfor %}{{ '\n</tools>' }}{% if messages[0].role == 'system' %}{{ '\n\n' + written(messages[0].content) | trim }}{% endif %}{{ '<|im_end|>\n' }}
{%- elif messages[0].role == 'system' %}{{ '<|im_start|>system\n' + written(messages[0].content) | trim + '<|im_end|>\n' }}{% endif -%}
{%- for m in messages -%}
{%- set content = written(m.content) | trim -%}
{%- if m.role == 'system' %}{% if not loop.first %}{{ raise_exception('the system speaks first') }}{% endif %}
{%- elif m.role == 'user' %}{{ '<|im_start|>user\n' + content + '<|im_end|>\n' }}
{%- elif m.role == 'assistant' -%}
{%- set thoughts = m.reasoning_content | default('', true) -%}
{%- if '</think>' in content %}{% set thoughts = content.split('</think>')[0].rstrip('\n').split('<think>')[-1].lstrip('\n') %}{% set content = content.split('</think>')[-1].lstrip('\n') %}{% endif -%}
{{- '<|im_start|>assistant\n' + ('<think>\n' + thoughts | trim + '\n</think>\n\n' if loop.index0 > ns.last else '') + content -}}
{%- for call in m.tool_calls or [] -%}
{{- ('\n\n' if content or not loop.first else '') + '<tool_call>\n<function=' + call.function.name + '>\n' -}}
{%- for k, v in call.function.arguments | items %}{{ '<parameter=' + k + '>\n' + (v | tojson if v is mapping or (v is iterable and v is not string) else v | string) + '\n</parameter>\n' }}{% endfor -%}
{{- '</function>\n</tool_call>' -}}
{%- endfor -%}
{{- '<|im_end|>\n' -}}
{%- elif m.role == 'tool' -%}
{%- if loop.previtem is not defined or loop.previtem.role != 'tool' %}{{ '<|im_start|>user' }}{% endif -%}
{{- '\n<tool_response>\n' + content + '\n</tool_response>' -}}
{%- if loop.last or loop.nextitem.role != 'tool' %}{{ '<|im_end|>\n' }}{% endif -%}
{%- else %}{{ raise_exception('who is ' + m.role) }}{% endif -%}
{%- endfor -%}
{%- if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% if GUARD %}{{ '<think>\n' }}{% else %}{{ '<think>\n\n</think>\n\n' }}{% endif %}{% endif -%}
"""

# Words of the system's or the user's switch, and are taken out; calls are a list.
_NEMOTRON2 = """
{%- set ns = namespace(thinks=true) -%}
{%- for m in messages if m.role in ['user', 'system'] %}{% if '/no_think' in m.content %}{% set ns.thinks = false %}{% elif '/think' in m.content %}{% set ns.thinks = true %}{% endif %}{% endfor -%}
{{- '<SPECIAL_10>System\n' -}}
{%- if messages[0].role == 'system' %}{{ messages[0].content.replace('/think', '').replace('/no_think', '').strip() }}{% endif -%}
{%- if tools %}{{ '\n<AVAILABLE_TOOLS>' + tools | tojson + '</AVAILABLE_TOOLS>' }}{% endif -%}
{{- '\n' -}}
{%- for m in messages -%}
{%- if m.role == 'user' %}{{ '<SPECIAL_11>User\n' + m.content.replace('/think', '').replace('/no_think', '').strip() + '\n' }}
{%- elif m.role == 'tool' %}{% if loop.previtem.role != 'tool' %}{{ '<SPECIAL_11>User\n<TOOL_RESPONSE>[' }}{% else %}{{ ', ' }}{% endif %}{{ m.content }}{% if loop.last or loop.nextitem.role != 'tool' %}{{ ']</TOOL_RESPONSE>\n' }}{% endif %}
{%- elif m.role == 'assistant' -%}
{{- '<SPECIAL_11>Assistant\n' + (m.content or '').split('</think>')[-1].strip() -}}
{%- if m.tool_calls %}{{ '<TOOLCALL>[' }}{% for call in m.tool_calls %}{{ '{"name": "' + call.function.name + '", "arguments": ' + call.function.arguments | tojson + '}' + (', ' if not loop.last else '') }}{% endfor %}{{ ']</TOOLCALL>' }}{% endif -%}
{{- '\n<SPECIAL_12>\n' -}}
{%- endif -%}
{%- endfor -%}
{%- if add_generation_prompt %}{{ '<SPECIAL_11>Assistant\n' + ('<think>\n' if ns.thinks else '<think></think>') }}{% endif -%}
"""

# No line ends and no closing marks between turns; of old thoughts the closing mark stays.
_GLM = """[gMASK]<sop>
{%- if tools %}<|system|><tools>{% for tool in tools %}{{ tool | tojson(ensure_ascii=False) }}{% endfor %}</tools>{% endif -%}
{%- for m in messages -%}
{%- if m.role == 'user' %}<|user|>{{ m.content }}
{%- elif m.role == 'system' %}<|system|>{{ m.content }}
{%- elif m.role == 'assistant' %}<|assistant|></think>{{ (m.content or '').split('</think>')[-1].strip() }}
{%- for call in m.tool_calls or [] %}<tool_call>{{ call.function.name }}{% for k, v in call.function.arguments.items() %}<arg_key>{{ k }}</arg_key><arg_value>{{ v if v is string else v | tojson }}</arg_value>{% endfor %}</tool_call>{% endfor %}
{%- elif m.role == 'tool' %}{% if loop.previtem.role != 'tool' %}<|observation|>{% endif %}<tool_response>{{ m.content }}</tool_response>{% endif -%}
{%- endfor -%}
{%- if add_generation_prompt %}<|assistant|>{{ '</think>' if enable_thinking is defined and not enable_thinking else '<think>' }}{% endif -%}
"""

# A system message of its own where there is none; content in parts; results in the user's turn.
_GRANITE4 = """
{%- macro text(content) %}{% if content is string %}{{ content }}{% else %}{% for part in content %}{{ part.text }}{% endfor %}{% endif %}{% endmacro -%}
{%- set first = messages[0].role == 'system' -%}
{{- '<|start_of_role|>system<|end_of_role|>' + (text(messages[0].content) if first else 'You help.') -}}
{%- if tools %}{{ '\n<tools>' }}{% for tool in tools %}{{ '\n' + tool | tojson }}{% endfor %}{{ '\n</tools>' }}{% endif %}{{ '<|end_of_text|>\n' -}}
{%- for m in (messages[1:] if first else messages) -%}
{%- if m.role == 'tool' -%}
{%- if loop.first or loop.previtem.role != 'tool' %}{{ '<|start_of_role|>user<|end_of_role|>' }}{% endif %}{{ '\n<tool_response>\n' + text(m.content) + '\n</tool_response>' }}{% if loop.last or loop.nextitem.role != 'tool' %}{{ '<|end_of_text|>\n' }}{% endif %}
{%- else -%}
{{- '<|start_of_role|>' + m.role + '<|end_of_role|>' + text(m.content or '') -}}
{%- for call in m.tool_calls or [] %}{{ '\n<tool_call>\n' + {'name': call.function.name, 'arguments': call.function.arguments} | tojson + '\n</tool_call>' }}{% endfor %}{{ '<|end_of_text|>\n' }}
{%- endif -%}
{%- endfor -%}
{%- if add_generation_prompt %}{{ '<|start_of_role|>assistant<|end_of_role|>' }}{% endif -%}
"""

# Calls by number, in sections; a system message of its own.
_KIMI = """
{%- if messages[0].role != 'system' %}<|im_system|>system<|im_middle|>You are called Kim.<|im_end|>{% endif -%}
{%- if tools %}<|im_system|>tool_declare<|im_middle|>{{ tools | tojson(separators=(',', ':')) }}<|im_end|>{% endif -%}
{%- for m in messages -%}
{%- set content = m.content | default('', true) -%}
{%- if m.role == 'tool' %}<|im_system|>tool<|im_middle|>## Return of {{ m.tool_call_id }}{{ '\n' + content }}
{%- else %}<|im_{{ m.role }}|>{{ m.role }}<|im_middle|>{{ content if content is string else content | map(attribute='text') | join }}
{%- if m.tool_calls %}<|tool_calls_section_begin|>{% for call in m.tool_calls %}<|tool_call_begin|>{{ call.id }}<|tool_call_argument_begin|>{{ call.function.arguments if call.function.arguments is string else call.function.arguments | tojson }}<|tool_call_end|>{% endfor %}<|tool_calls_section_end|>{% endif %}
{%- endif %}<|im_end|>
{%- endfor -%}
{%- if add_generation_prompt %}<|im_assistant|>assistant<|im_middle|>{% endif -%}
"""

# A budget in the place of a switch; functions must have parameters.
_SEED = """
{%- if messages[0].role == 'system' or tools %}{{ bos_token + 'system\n' + (messages[0].content if messages[0].role == 'system' else '') }}
{%- for tool in tools or [] %}{{ '\ndef ' + tool.function.name + '(' + tool.function.parameters.properties.keys() | join(', ') + ')' }}{% endfor %}{{ eos_token }}{% endif -%}
{%- if thinking_budget is defined and thinking_budget == 0 %}{{ bos_token + 'system\nAnswer at once.' + eos_token }}{% endif -%}
{%- for m in messages if m.role != 'system' -%}
{{- bos_token + m.role + '\n' -}}
{%- if m.role == 'assistant' and m.tool_calls %}{{ m.content or '' }}{% for call in m.tool_calls %}{{ '\n<seed:tool_call>\n<function=' + call.function.name + '>\n' }}{% for k, v in call.function.arguments.items() %}{{ '<parameter=' + k + '>' + v | string + '</parameter>\n' }}{% endfor %}{{ '</function>\n</seed:tool_call>' }}{% endfor %}
{%- else %}{{ m.content }}{% endif -%}
{{- eos_token -}}
{%- endfor -%}
{%- if add_generation_prompt %}{{ bos_token + 'assistant\n' }}{% if thinking_budget is defined and thinking_budget == 0 %}{{ '<seed:think>\n</seed:think>' }}{% endif %}{% endif -%}
"""

# Plain words between the turns; and no calls.
_DEEPSEEK2 = """
{{- bos_token -}}
{%- for m in messages %}{% if m.role == 'user' %}{{ 'User: ' + m.content + '\n\n' }}{% elif m.role == 'assistant' %}{{ 'Assistant: ' + m.content + eos_token }}{% else %}{{ m.content + '\n\n' }}{% endif %}{% endfor -%}
{%- if add_generation_prompt %}Assistant:{% endif -%}
"""

TEMPLATES = {
    "gemma4 small": _GEMMA4.replace("PROMPT", ""),
    "gemma4 large": _GEMMA4.replace("PROMPT", _GEMMA4_CLOSED),
    "qwen3.5 small": _QWEN35.replace("GUARD", "enable_thinking is defined and enable_thinking is true"),
    "qwen3.5 large": _QWEN35.replace("GUARD", "not (enable_thinking is defined and enable_thinking is false)"),
    "nemotron 2": _NEMOTRON2,
    "glm": _GLM,
    "granite 4": _GRANITE4,
    "kimi": _KIMI,
    "seed": _SEED,
    "deepseek 2": _DEEPSEEK2,
}
