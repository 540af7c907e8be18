import { ProblemError } from '@sns/client'
import type { ComponentChildren } from 'preact'
import { useId, useState } from 'preact/hooks'
import { describeProblem } from './context'
import type { Texts } from './texts'

interface FieldProps {
  readonly name: string
  readonly label: string
  readonly hint?: string
  readonly type?: 'text' | 'password'
  readonly autocomplete: string
  readonly isRequired?: boolean
  readonly value?: string
  readonly problem?: string | undefined
}

function Field({
  name,
  label,
  hint,
  type = 'text',
  autocomplete,
  isRequired = true,
  value,
  problem,
}: FieldProps) {
  const id = useId()
  const note = problem ?? hint
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <input
        id={id}
        name={name}
        {...(type === 'password' ? { type: 'password' as const } : { type: 'text' as const })}
        autocomplete={autocomplete}
        autocapitalize="none"
        dir="auto"
        required={isRequired}
        defaultValue={value}
        aria-invalid={problem !== undefined}
        aria-describedby={note ? `${id}-note` : undefined}
      />
      {note && (
        <span id={`${id}-note`} class={problem ? 'problem' : 'quiet'}>
          {note}
        </span>
      )}
    </div>
  )
}

/** A form that says at each field what is wrong with it, and below what else is. */
export function Form(props: {
  readonly t: Texts
  readonly fields: readonly FieldProps[]
  readonly button: string
  readonly isDangerous?: boolean
  readonly send: (values: Readonly<Record<string, string>>) => Promise<unknown>
  readonly children?: ComponentChildren
}) {
  const [problem, setProblem] = useState<string | null>(null)
  const [wrong, setWrong] = useState<Readonly<Record<string, string>>>({})
  const [isSending, setSending] = useState(false)

  async function submit(event: SubmitEvent) {
    event.preventDefault()
    const form = event.currentTarget as HTMLFormElement
    const values = Object.fromEntries(new FormData(form)) as Record<string, string>
    setSending(true)
    try {
      await props.send(values)
      setProblem(null)
      setWrong({})
      if (form.isConnected) form.reset()
    } catch (error) {
      const fields = error instanceof ProblemError ? error.fields : []
      const shown = fields.filter(({ field }) => props.fields.some(({ name }) => name === field))
      const { wrong, problems } = props.t
      setWrong(
        Object.fromEntries(
          shown.map(({ field }) => [field, wrong[field] ?? problems.invalid_request]),
        ),
      )
      setProblem(shown.length > 0 ? null : describeProblem(error, props.t))
    }
    setSending(false)
  }

  return (
    <form class="form" onSubmit={submit}>
      {props.fields.map((field) => (
        <Field key={field.name} {...field} problem={wrong[field.name]} />
      ))}
      {problem && (
        <p role="alert" class="problem">
          {problem}
        </p>
      )}
      {props.children}
      <button type="submit" class={props.isDangerous ? 'danger' : 'main'} disabled={isSending}>
        {props.button}
      </button>
    </form>
  )
}
