//! One contract in one machine.

use anyhow::{Context as _, bail};
use revm::context::TxEnv;
use revm::context::result::{ExecutionResult, Output};
use revm::database::{CacheDB, EmptyDB};
use revm::handler::EthPrecompiles;
use revm::precompile::Precompiles;
use revm::primitives::hardfork::SpecId;
use revm::primitives::{Address, TxKind};
use revm::{Context, ExecuteCommitEvm as _, ExecuteEvm as _, MainBuilder as _, MainContext as _};

/// How a call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The contract answered: the proof holds.
    True,
    /// The contract answered: it does not.
    False,
    /// The contract reverted.
    Reverted,
    /// The machine stopped it: out of gas.
    Halted,
}

/// A machine under the rules of one fork, with the contract in it.
pub struct Machine {
    rules: SpecId,
    database: CacheDB<EmptyDB>,
    contract: Address,
    deployment_gas: u64,
    without_pairing: bool,
}

const CALLER: Address = Address::repeat_byte(0xaa);
const DEPLOYMENT_GAS: u64 = 5_000_000;

impl Machine {
    /// Deploys by a transaction of the creation code.
    pub fn deploy(rules: SpecId, creation: Vec<u8>) -> anyhow::Result<Self> {
        let mut machine = Self {
            rules,
            database: CacheDB::new(EmptyDB::new()),
            contract: Address::ZERO,
            deployment_gas: 0,
            without_pairing: false,
        };
        match machine.transact(TxKind::Create, creation, DEPLOYMENT_GAS, true)? {
            ExecutionResult::Success { output: Output::Create(_, Some(address)), gas, .. } => {
                machine.contract = address;
                machine.deployment_gas = gas.tx_gas_used();
                Ok(machine)
            }
            other => bail!("the contract could not be deployed: {other:?}"),
        }
    }

    /// From now on the machine has only the four precompiled contracts that were there before EIP-196 and EIP-197: calls to the others
    /// succeed and return nothing, as calls to an empty account do.
    pub fn forget_the_pairing(&mut self) {
        self.without_pairing = true;
    }

    /// Gas of the transaction that deployed it.
    pub fn deployment_gas(&self) -> u64 {
        self.deployment_gas
    }

    /// Calls with these data and this limit of gas; how it ended and the gas of the transaction.
    pub fn call(&mut self, data: &[u8], gas: u64) -> anyhow::Result<(Outcome, u64)> {
        let result = self.transact(TxKind::Call(self.contract), data.to_vec(), gas, false);
        // Less gas than the data alone cost: the transaction is not even begun.
        let Ok(result) = result else { return Ok((Outcome::Halted, gas)) };
        let used = result.tx_gas_used();
        let outcome = match result {
            ExecutionResult::Success { output: Output::Call(out), .. } => match out.as_ref() {
                [zeros @ .., last] if out.len() == 32 && zeros.iter().all(|b| *b == 0) && *last < 2 => {
                    if *last == 1 {
                        Outcome::True
                    } else {
                        Outcome::False
                    }
                }
                _ => bail!("the contract answered {out}"),
            },
            ExecutionResult::Revert { .. } => Outcome::Reverted,
            ExecutionResult::Halt { .. } => Outcome::Halted,
            other => bail!("a call ended with {other:?}"),
        };
        Ok((outcome, used))
    }

    fn transact(
        &mut self,
        kind: TxKind,
        data: Vec<u8>,
        gas: u64,
        keep: bool,
    ) -> anyhow::Result<ExecutionResult> {
        let rules = self.rules;
        let mut evm = Context::mainnet()
            .modify_cfg_chained(|cfg| {
                cfg.set_spec_and_mainnet_gas_params(rules);
                cfg.disable_nonce_check = true;
            })
            .with_db(&mut self.database)
            .build_mainnet();
        if self.without_pairing {
            evm.precompiles = EthPrecompiles { precompiles: Precompiles::homestead(), spec: rules };
        }
        let tx = TxEnv::builder().caller(CALLER).kind(kind).data(data.into()).gas_limit(gas).build();
        let tx = tx.ok().context("a transaction")?;
        Ok(if keep { evm.transact_commit(tx)? } else { evm.transact(tx)?.result })
    }
}
