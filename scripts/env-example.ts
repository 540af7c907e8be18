import { join } from 'node:path'
import { renderEnvExample } from '@sns/shared/config/env-example'

await Bun.write(join(import.meta.dir, '..', '.env.example'), renderEnvExample())
